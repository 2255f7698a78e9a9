"""What differs between two commits of a real repository."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.domain.changelog import MOST_CHANGES, MOST_DEPENDENCIES, Changelog
from orchestrator.sources import git_dependencies
from orchestrator.sources.git import GitRepository
from orchestrator.sources.versions import Scheme
from tests.support.git_repository import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    made.commit("feat: the first")
    return made


def head(remote: Remote) -> str:
    return remote.git("rev-parse", "HEAD")


async def changelog(remote: Remote, since: str, *, path: str = ".", until: str = "") -> Changelog:
    settings = GitSource(remote=str(remote.path), branch="main", path=path)
    git = GitRepository(settings, remote.path.parent / "mirrors" / "app.git", remote.path)
    newest = await git.newest()
    return await git.changelog(since, until or newest.release.source_revision)


def needs(found: Changelog) -> list[tuple[str, str, str]]:
    assert found.dependencies is not None, found.notes
    return [(one.name, one.before, one.after) for one in found.dependencies]


def subjects(found: Changelog) -> list[str]:
    return [change.subject for change in found.changes]


async def test_each_change_has_its_whole_commit_and_what_breaks(remote: Remote) -> None:
    since = head(remote)
    commit = remote.commit("feat(api)!: a port\n\nBody.\n\nBREAKING-CHANGE: the port\n  is 9000\nRefs: #1")

    (change,) = (await changelog(remote, since)).changes

    assert (change.revision, change.kind, change.scope) == (commit, "feat", "api")
    assert (change.breaking, change.breaks) == (True, "the port is 9000")


async def test_a_changed_requirement_file_is_compared(remote: Remote) -> None:
    remote.commit("build: pin", file="requirements.txt", content="a==1\nb==1 --hash=sha256:00\nc>=1\n")
    since = head(remote)
    remote.commit(
        "build: pin others", file="requirements.txt", content="a==2\nb==1 --hash=sha256:11\nd==4\n-r more.txt\n"
    )
    remote.commit("build: pin more", file="more.txt", content="e==5\n")

    found = await changelog(remote, since)

    assert needs(found) == [("a", "1", "2"), ("c", ">=1", ""), ("d", "", "4"), ("e", "", "5")]
    assert found.notes == ()


async def test_only_files_of_the_apps_folder_are_compared(remote: Remote) -> None:
    for app in ("shop", "till[1]", "till1"):
        remote.commit(f"build: pin {app}", file=f"{app}/requirements.txt", content="a==1\n")
    since = head(remote)
    remote.commit("build: pin the shop's", file="shop/requirements.txt", content="a==2\n")
    remote.commit("build: pin the other till's", file="till1/requirements.txt", content="a==3\n")
    remote.commit("build: pin the till's", file="till[1]/requirements.txt", content="a==4\n")

    assert needs(await changelog(remote, since, path="shop")) == [("a", "1", "2")]
    assert needs(await changelog(remote, since, path="till[1]", until=head(remote))) == [("a", "1", "4")]


async def test_without_a_changed_file_no_dependency_differs(remote: Remote) -> None:
    remote.commit("build: pin", file="requirements.txt", content="a==1\n")
    since = head(remote)
    remote.commit("feat: more")

    assert needs(await changelog(remote, since)) == []


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("uv.lock", "[[package]\nname = 5"),
        ("package-lock.json", "[" * 10_000),
        ("requirements.txt", "a==1\n" + "x" * 5_000_000),
    ],
    ids=["no TOML", "nested", "large"],
)
async def test_a_file_that_cannot_be_read_is_named_and_the_check_goes_on(
    remote: Remote, file: str, content: str
) -> None:
    since = head(remote)
    remote.commit("feat: more", file=f"a\x1b[31m/{file}", content=content)

    found = await changelog(remote, since)

    assert (subjects(found), needs(found)) == (["more"], [])
    assert found.notes == (f"Dependencies are not read from a/{file}.",)


async def test_a_link_is_not_followed(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret==1\n")
    since = head(remote)
    (remote.path / "requirements.txt").symlink_to(tmp_path / "secret.txt")
    remote.commit("feat: more")

    assert needs(await changelog(remote, since)) == []


async def test_a_file_that_is_read_for_hours_is_given_up(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a key of a million parts, tomllib looks at each beginning."""
    monkeypatch.setattr(git_dependencies, "WITHIN_S", 1.0)
    since = head(remote)
    remote.commit("feat: more", file="uv.lock", content=".".join("a" * 1_000_000) + " = 1")

    found = await changelog(remote, since)

    assert (subjects(found), found.dependencies) == (["more"], None)
    assert found.notes == ("The dependencies were not compared: reading their files took longer than 1 s.",)


async def test_more_dependencies_than_are_listed_are_counted(remote: Remote) -> None:
    since = head(remote)
    lines = "".join(f"a{number}==1\n" for number in range(MOST_DEPENDENCIES + 7))
    remote.commit("feat: more", file="requirements.txt", content=lines)

    found = await changelog(remote, since)

    assert (len(needs(found)), found.dependencies_left_out) == (MOST_DEPENDENCIES, 7)


async def test_more_changes_than_are_listed_are_counted(remote: Remote) -> None:
    since = head(remote)
    tree = remote.git("rev-parse", "HEAD^{tree}")
    commit = since
    for number in range(MOST_CHANGES + 3):
        commit = remote.git("commit-tree", tree, "-p", commit, "-m", f"fix: number {number}")
    remote.git("reset", "--quiet", "--hard", commit)

    found = await changelog(remote, since)

    assert (len(found.changes), found.changes_left_out) == (MOST_CHANGES, 3)


async def test_a_revert_and_what_it_reverts_are_not_listed_and_that_is_said(remote: Remote) -> None:
    since = head(remote)
    remote.commit("feat: a cart", file="cart.py")
    remote.commit("feat: a till", file="till.py")
    remote.git("revert", "--no-edit", "HEAD~1")

    found = await changelog(remote, since)

    assert subjects(found) == ["a till"]
    assert found.notes == ("2 commits that revert each other are not listed.",)


async def test_a_revert_of_what_is_live_is_a_change(remote: Remote) -> None:
    since = remote.commit("feat: a cart", file="cart.py")
    remote.git("revert", "--no-edit", "HEAD")

    (change,) = (await changelog(remote, since)).changes

    assert (change.kind, change.subject) == ("revert", 'Revert "feat: a cart"')


async def test_after_a_forced_push_only_what_is_new_is_listed_and_what_is_lost_is_said(remote: Remote) -> None:
    base = head(remote)
    remote.commit("feat: kept", file="kept.py")
    live = remote.commit("feat: dropped", file="dropped.py")
    assert subjects(await changelog(remote, base)) == ["dropped", "kept"]
    remote.git("reset", "--quiet", "--hard", base)
    remote.commit("feat: before it", file="before.py")
    remote.git("cherry-pick", f"{live}~1")
    remote.commit("feat: after it", file="after.py")

    found = await changelog(remote, live)

    assert subjects(found) == ["after it", "before it"]
    assert found.notes == (
        f"The history was rewritten, or another branch is followed, since the live commit {live[:12]}: 1 commit of the "
        "live release is not in this one.",
    )


async def test_an_amended_message_brings_no_change(remote: Remote) -> None:
    live = remote.commit("feat: a cart", file="cart.py")
    await changelog(remote, live)
    remote.git("commit", "--quiet", "--amend", "-m", "feat: a better word for it")

    found = await changelog(remote, live)

    assert (subjects(found), needs(found)) == ([], [])
    assert "it has the same changes in other commits" in found.notes[0]


async def test_a_history_that_has_nothing_in_common_is_all_new(remote: Remote) -> None:
    live = head(remote)
    await changelog(remote, live)
    remote.git("checkout", "--quiet", "--orphan", "new")
    remote.commit("feat: another beginning", file="other.py")
    remote.git("branch", "--quiet", "-M", "new", "main")

    found = await changelog(remote, live)

    assert subjects(found) == ["another beginning"]
    assert found.notes[0].startswith("The history was replaced: no commit of it is in that of the live commit")


async def test_a_live_commit_that_is_gone_is_said(remote: Remote) -> None:
    found = await changelog(remote, "f" * 40)

    assert found.changes == ()
    assert found.notes == ("The live commit ffffffffffff is not in the repository any more: what is new is not known.",)
    assert (found.dependencies, found.download_bytes) == (None, None)


async def test_what_a_fetch_transfers_is_measured(remote: Remote) -> None:
    since = head(remote)
    (remote.path / "noise").write_bytes(random.Random(1).randbytes(300_000))
    remote.commit("feat: noise")

    size = (await changelog(remote, since)).download_bytes

    assert size is not None
    assert 300_000 < size < 310_000


async def test_a_lock_file_of_npm_is_compared(remote: Remote) -> None:
    def lock(version: str) -> str:
        return json.dumps({"lockfileVersion": 3, "packages": {"node_modules/@a/b": {"version": version}}})

    remote.commit("build: lock", file="web/package-lock.json", content=lock("1.0.0"))
    since = head(remote)
    remote.commit("build: lock again", file="web/package-lock.json", content=lock("1.0.1"))

    found = await changelog(remote, since)

    assert needs(found) == [("@a/b", "1.0.0", "1.0.1")]
    assert found.dependencies is not None
    assert found.dependencies[0].ecosystem == "npm"


@pytest.mark.parametrize(("scheme", "newest"), [("semver", "v1.10.0"), ("pep440", "v1.10.0-4"), ("commit", "v1.2.0")])
async def test_tags_are_ordered_by_the_scheme_that_is_set(
    remote: Remote, scheme: Scheme, newest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By PEP 440, 1.10.0-4 is the post-release 1.10.0.post4."""
    for number, tag in enumerate(("v1.10.0", "v1.10.0-4", "v1.9.0", "v1.2.0")):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-01-0{number + 1}T12:00:00Z")
        remote.commit(f"feat: {tag}")
        remote.git("tag", tag)
    settings = GitSource(remote=str(remote.path), tags="v*")
    git = GitRepository(settings, remote.path.parent / "mirrors" / "app.git", remote.path, scheme=scheme)

    assert (await git.newest()).release.version == newest
