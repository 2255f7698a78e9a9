"""How images and archives that are deployed by hand are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from border.revision import option
from orchestrator.domain.by_hand import (
    NamedImage,
    UploadedArchive,
    engine_image,
    is_by_hand,
    named_image,
    requested,
    why_no_image_reference,
)
from orchestrator.domain.source_names import is_commit, is_ref

DIGEST = "sha256:" + "0123abcd" * 8


@pytest.mark.parametrize(
    ("text", "name", "tag", "digest", "names_registry"),
    [
        ("shop", "shop", "latest", "", False),
        ("shop:1.2", "shop", "1.2", "", False),
        ("team/shop:1.2", "team/shop", "1.2", "", False),
        ("localhost/shop:1.2", "localhost/shop", "1.2", "", True),
        ("registry.test/shop", "registry.test/shop", "latest", "", True),
        ("registry.test:5000/shop", "registry.test:5000/shop", "latest", "", True),
        ("registry.test:5000/a/shop:1.2", "registry.test:5000/a/shop", "1.2", "", True),
        (f"registry.test/shop@{DIGEST}", "registry.test/shop", "", DIGEST, True),
        (f"registry.test:5000/shop:1.2@{DIGEST}", "registry.test:5000/shop", "1.2", DIGEST, True),
        ("docker.io/library/nginx:1", "docker.io/library/nginx", "1", "", True),
        (DIGEST, "", "", DIGEST, False),
    ],
)
def test_images_are_read_as_docker_reads_them(
    text: str, name: str, tag: str, digest: str, names_registry: bool
) -> None:
    image = named_image(text)

    assert why_no_image_reference(text) == ""
    assert image == NamedImage(text, name, tag, digest)
    assert image.names_registry is names_registry
    assert requested(f"image:{text}") == image


@pytest.mark.parametrize(
    "text",
    ["", ":1", "@", "Shop", "shop:", "shop:-x", "shop@latest", f"shop@{DIGEST}a", "shop@sha256:1", "a b", "a//b",
     "../a", "https://registry.test/shop", "--privileged", "shop:1:2", "x" * 200, f"@{DIGEST}", "registry.test/"],
)  # fmt: skip
def test_what_names_no_image_is_refused(text: str) -> None:
    assert why_no_image_reference(text) != ""


@given(st.text(max_size=250))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(why_no_image_reference(text), str)


def test_no_name_of_git_is_taken_for_something_that_was_brought_by_hand() -> None:
    for ref in ("main", "v1.2", "image", "archive/1", "0" * 40, "1.2.3", DIGEST):
        assert requested(ref) is None
        assert not is_by_hand(ref)
    for ref in ("image:shop", "archive:0123456789abcdef:1.2"):
        assert not is_ref(ref)
        assert not is_commit(ref)
    assert requested("archive:0123456789abcdef:1.2") == UploadedArchive("0123456789abcdef", "1.2")


def test_only_an_id_is_the_engines_own_image() -> None:
    assert engine_image(f"image:{DIGEST}") == DIGEST
    assert engine_image(f"image:shop@{DIGEST}") == ""
    assert engine_image(DIGEST) == ""


def test_a_release_is_deployed_again_as_it_was() -> None:
    assert option("0123abcd" * 5) == "--ref 0123abcd0123"
    assert option(DIGEST) == f"--ref {DIGEST}"
    assert option(f"image:shop@{DIGEST}") == f"--image shop@{DIGEST}"
    assert option(f"archive:{DIGEST}") == "--archive FILE"
