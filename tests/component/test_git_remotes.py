"""Kinds of repositories that git can fetch from: each is a source, or says what is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from tests.support.git_repository import Remote
from tests.support.git_server import GitServer


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def of_config_folder(folder: Path, remote: str) -> GitRepository:
    """The checkout of Changeover is elsewhere."""
    return GitRepository(GitSource(remote=remote), folder / "mirrors" / "app.git", folder / "checkout", beside=folder)


def bare(remote: Remote, to: Path) -> str:
    git("clone", "--quiet", "--bare", str(remote.path), str(to))
    return str(to)


def shallow(remote: Remote, to: Path) -> str:
    git("clone", "--quiet", "--depth=1", f"file://{remote.path}", str(to))
    return str(to)


def partial(remote: Remote, to: Path) -> str:
    remote.git("config", "uploadpack.allowFilter", "true")
    git("clone", "--quiet", "--filter=blob:none", f"file://{remote.path}", str(to))
    return str(to)


def worktree(remote: Remote, to: Path) -> str:
    remote.git("worktree", "add", "--quiet", "-b", "other", str(to))
    return str(to)


def shared(remote: Remote, to: Path) -> str:
    git("clone", "--quiet", "--shared", str(remote.path), str(to))
    return str(to)


def with_packed_refs(remote: Remote, to: Path) -> str:
    remote.git("gc", "--quiet")
    return str(remote.path)


def by_file_url(remote: Remote, to: Path) -> str:
    return f"file://{remote.path}"


def beside_the_configuration(remote: Remote, to: Path) -> str:
    return f"./{remote.path.relative_to(to.parent)}"


def above_the_configuration(remote: Remote, to: Path) -> str:
    return f"../{to.parent.name}/{remote.path.relative_to(to.parent)}"


def of_another_user(remote: Remote, to: Path) -> str:
    for path in [remote.path, *remote.path.rglob("*")]:
        shutil.chown(path, user=10001)
    return str(remote.path)


KINDS = [
    bare, shallow, worktree, shared, with_packed_refs, by_file_url, beside_the_configuration,
    above_the_configuration, of_another_user,
]  # fmt: skip


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_repository_is_a_source(
    tmp_path: Path, kind: Callable[[Remote, Path], str], object_format: str
) -> None:
    remote = Remote(tmp_path / "remote", object_format)
    remote.commit("feat: the first")
    commit = remote.commit("feat: the second")
    source = of_config_folder(tmp_path, kind(remote, tmp_path / "other"))

    found = (await source.newest()).release
    await source.fetch(commit, tmp_path / "tree")

    assert found.source_revision == commit
    assert (tmp_path / "tree" / "app.py").read_text() == "feat: the second"
    assert (await source.newest(commit[:10])).release == found
    if object_format == "sha256":
        assert (await source.newest(commit[:45])).release == found


async def test_a_repository_of_sha_256_is_fetched_by_http_also_where_one_of_sha_1_was(tmp_path: Path) -> None:
    old, new = Remote(tmp_path / "served" / "old.git"), Remote(tmp_path / "served" / "new.git", "sha256")
    first, second = old.commit("feat: old"), new.commit("feat: new")
    with GitServer(tmp_path / "served", "") as server:
        source = of_config_folder(tmp_path, f"{server.url}/app.git")
        for repository, commit in ((old, first), (new, second)):
            repository.path.rename(tmp_path / "served" / "app.git")
            assert (await source.newest()).release.source_revision == commit
            await source.fetch(commit, tmp_path / "tree")
            (tmp_path / "served" / "app.git").rename(repository.path)


@pytest.mark.parametrize("kind", [worktree, shared])
async def test_a_repository_whose_history_is_elsewhere_says_what_to_mount(
    tmp_path: Path, kind: Callable[[Remote, Path], str]
) -> None:
    remote = Remote(tmp_path / "remote")
    remote.commit("feat: the first")
    source = of_config_folder(tmp_path, kind(remote, tmp_path / "other"))
    remote.path.rename(tmp_path / "not mounted")

    needed = f"{remote.path}/.git" + ("/objects" if kind is shared else "")
    with pytest.raises(StepFailed, match=f"{needed}, which does not exist in the orchestrator's container") as failed:
        await source.newest()
    assert f"'{needed}:{needed}:ro'" in failed.value.remedy


async def test_a_partial_clone_says_what_to_name_instead(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "remote")
    remote.commit("feat: the first")
    remote.commit("feat: the second")

    with pytest.raises(StepFailed, match="it lacks objects of its own history, as a partial clone does"):
        await of_config_folder(tmp_path, partial(remote, tmp_path / "other")).newest()


async def test_a_path_beside_the_configuration_that_is_not_mounted_says_so_as_compose_takes_it(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"The repository \.\./gone does not exist") as failed:
        await of_config_folder(tmp_path / "config", "../gone").newest()

    assert f"'../gone:{tmp_path}/gone:ro'" in failed.value.remedy


@pytest.mark.parametrize("how", ["amended", "reset", "orphan", "renamed and back"])
async def test_a_branch_that_was_rewritten_is_understood(tmp_path: Path, how: str) -> None:
    remote = Remote(tmp_path / "remote")
    first = remote.commit("feat: the first")
    live = remote.commit("feat: live")
    source = of_config_folder(tmp_path, str(remote.path))
    await source.newest()
    if how == "amended":
        remote.git("commit", "--quiet", "--amend", "-m", "feat: amended")
    elif how == "reset":
        remote.git("reset", "--quiet", "--hard", first)
    elif how == "orphan":
        remote.git("checkout", "--quiet", "--orphan", "new")
        remote.commit("feat: from the start")
        remote.git("branch", "--quiet", "--force", "main")
        remote.git("checkout", "--quiet", "main")
    else:
        remote.git("branch", "--move", "main", "main/inner")
        await GitRepository(
            GitSource(remote=str(remote.path), branch="main/inner"), tmp_path / "mirrors" / "app.git", tmp_path
        ).newest()
        remote.git("branch", "--move", "main/inner", "main")
        remote.commit("feat: again")
    wanted = remote.git("rev-parse", "HEAD")

    found = await source.newest()
    await source.fetch(wanted, tmp_path / "tree")

    assert found.release.source_revision == wanted
    assert await source.is_older(wanted, live) == (how == "reset")
    notes = (await source.changelog(live, wanted)).notes
    assert any("The history was" in one for one in notes) == (how != "renamed and back"), notes
