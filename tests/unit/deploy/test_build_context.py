"""What is built is in the fetched source, wherever its links lead."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from orchestrator.deploy.build_context import NoDockerfile, build_context
from orchestrator.deploy.steps.build import tag_part, where_it_belongs
from orchestrator.errors import StepFailed


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree, and beside it what it must not reach."""
    tree = tmp_path / "tree" / "d1"
    (tree / "shop").mkdir(parents=True)
    (tree / "docker").mkdir()
    (tree / "shop" / "Dockerfile").write_text("FROM scratch")
    (tree / "docker" / "Dockerfile").write_text("FROM scratch")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "Dockerfile").write_text("FROM scratch")
    (tmp_path / "tree" / "d2").mkdir()
    (tmp_path / "tree" / "d2" / "Dockerfile").write_text("FROM scratch")
    return tree


def test_a_folder_and_its_dockerfile_are_built(tree: Path) -> None:
    built = build_context(tree, "shop", "Dockerfile")

    assert (built.folder, built.dockerfile) == (tree / "shop", tree / "shop" / "Dockerfile")


def test_links_within_the_source_are_followed(tree: Path) -> None:
    (tree / "app").symlink_to("shop")
    (tree / "shop" / "Other").symlink_to("../docker/Dockerfile")

    built = build_context(tree, "app", "Other")

    assert (built.folder, built.dockerfile) == (tree / "shop", tree / "docker" / "Dockerfile")
    assert build_context(tree, "shop", "../docker/Dockerfile").dockerfile == tree / "docker" / "Dockerfile"


@pytest.mark.parametrize(
    "link",
    ["/", "/etc", "../../checkout", "..", "../d2", "../../tree/d2", "/proc/self/cwd", "/proc/self/root", "../nowhere"],
)
@pytest.mark.parametrize("what", ["shop", "shop/Dockerfile", "shop/.dockerignore", "shop/Dockerfile.dockerignore"])
def test_a_link_to_elsewhere_is_refused(tree: Path, what: str, link: str) -> None:
    place = tree / what
    if place.is_dir():
        place.rename(tree / "moved")
    place.unlink(missing_ok=True)
    place.symlink_to(os.path.join("..", link) if "/" in what and not link.startswith("/") else link)

    with pytest.raises(StepFailed, match="leads out of the folder"):
        build_context(tree, "shop", "Dockerfile")


def test_a_link_through_another_link_is_refused(tree: Path) -> None:
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("../../checkout")

    with pytest.raises(StepFailed, match="leads out"):
        build_context(tree, "a", "Dockerfile")


@pytest.mark.parametrize(("path", "dockerfile"), [("/etc", "Dockerfile"), ("../d2", "Dockerfile"), ("shop", "/etc/x")])
def test_a_configured_path_out_of_the_source_is_refused(tree: Path, path: str, dockerfile: str) -> None:
    with pytest.raises((StepFailed, NoDockerfile)):
        build_context(tree, path, dockerfile)


@pytest.mark.parametrize("path", ["nothing", "shop/Dockerfile", "docker/nothing"])
def test_what_is_not_there_is_said_to_be_missing(tree: Path, path: str) -> None:
    with pytest.raises(NoDockerfile):
        build_context(tree, path, "Dockerfile")


def test_a_link_to_itself_is_refused(tree: Path) -> None:
    (tree / "loop").symlink_to("loop")

    with pytest.raises(StepFailed):
        build_context(tree, "loop", "Dockerfile")


def test_the_context_may_be_another_folder_than_that_of_the_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "services" / "api").mkdir(parents=True)
    (tmp_path / "services" / "api" / "Dockerfile").write_text("FROM scratch\n")

    built = build_context(tmp_path, "services/api", "Dockerfile", ".")

    assert (built.folder, built.dockerfile) == (tmp_path, tmp_path / "services" / "api" / "Dockerfile")
    with pytest.raises(NoDockerfile):
        build_context(tmp_path, "services/api", "Dockerfile", "libraries")
    with pytest.raises(StepFailed, match="not built"):
        build_context(tmp_path, "services/api", "Dockerfile", "../..")


@pytest.mark.parametrize(
    ("source_revision", "part"),
    [
        ("0123456789abcdef0123456789abcdef01234567", "0123456789ab"),
        ("1.2.3", "1.2.3"),
        ("1!2.0+local", "1_2.0_local"),
        ("sha256:0123456789abcdef", "sha256_01234"),
        ("-.x", "x"),
        ("é", "_"),
    ],
)
def test_every_source_revision_can_stand_in_the_tag_of_an_image(source_revision: str, part: str) -> None:
    assert tag_part(source_revision) == part
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", part)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("git", "Commit it, or correct build.dockerfile, build.context and update.git.path of shop."),
        ("url", "Put it into the archive, or correct build.dockerfile and build.context of shop."),
        ("pypi", "Remove build.dockerfile and build.context of shop: it is built without them."),
    ],
)
def test_who_has_no_dockerfile_reads_where_it_belongs(source: str, says: str) -> None:
    assert where_it_belongs(source, "shop") == says
