"""The Git source against real repositories on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.domain.release import Change
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.sources.commit_log import MOST_OF_MESSAGE
from orchestrator.sources.git import GitRepository
from tests.support.git_repository import Remote
from tests.support.hostile import QUESTION


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    made.commit("feat: the first")
    return made


def source(remote: Remote, *, branch: str = "main", path: str = ".", url: str = "") -> GitRepository:
    settings = GitSource(remote=url or str(remote.path), branch=branch, path=path)
    return GitRepository(settings, remote.path.parent / "mirrors" / "app.git", remote.path)


async def changes_of(git: GitRepository, since: str, until: str) -> tuple[Change, ...]:
    return (await git.changelog(since, until)).changes


def of_default_branch(remote: Remote) -> GitRepository:
    return GitRepository(GitSource(remote=str(remote.path)), remote.path.parent / "mirrors" / "app.git", remote.path)


async def test_the_newest_is_the_last_commit_of_the_branch_whatever_else_there_is(remote: Remote) -> None:
    wanted = remote.commit("feat: the second")
    remote.git("checkout", "--quiet", "-b", "other")
    remote.commit("feat: elsewhere")

    newest = await source(remote).newest()

    assert newest.release.source_revision == wanted
    assert newest.released_at is not None
    assert newest.released_at.tzinfo is not None


def of_tags(remote: Remote, tags: str) -> GitRepository:
    settings = GitSource(remote=str(remote.path), tags=tags)
    return GitRepository(settings, remote.path.parent / "mirrors" / "app.git", remote.path)


async def test_of_tags_the_newest_version_is_followed_whatever_the_branches_do(remote: Remote) -> None:
    for tag in ("v1.2.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1", "nightly", "web/v3.0.0"):
        wanted = remote.commit(f"feat: {tag}")
        remote.git("tag", tag)
    remote.commit("feat: not released yet")
    remote.git("branch", "v1.10.0")

    newest = await of_tags(remote, "v*").newest()

    assert newest.release.version == "v1.10.0"
    assert newest.release.source_revision == remote.git("rev-parse", "refs/tags/v1.10.0^{commit}")
    assert (await of_tags(remote, "v*-rc.*").newest()).release.version == "v2.0.0-rc.1"
    assert (await of_tags(remote, "v*").newest("web/v3.0.0")).release.source_revision == wanted
    with pytest.raises(StepFailed, match=r"has no tag that is a version and matches 'w\*'"):
        await of_tags(remote, "w*").newest()


@pytest.mark.parametrize(
    ("wanted", "newest"),
    [("==1.9.0", "v1.9.0"), (">=1,<1.10", "v1.9.0"), (">=1.2", "v1.10.0"), ("==2.0.0-rc.1", "v2.0.0-rc.1")],
)
async def test_of_tags_only_those_of_the_range_are_followed(remote: Remote, wanted: str, newest: str) -> None:
    for tag in ("v1.2.0", "v1.10.0", "v1.9.0", "v2.0.0-rc.1", "nightly"):
        remote.commit(f"feat: {tag}")
        remote.git("tag", tag)
    settings = GitSource.model_validate({"remote": str(remote.path), "tags": "v*", "version_range": wanted})
    git = GitRepository(settings, remote.path.parent / "mirrors" / "app.git", remote.path)

    found = await git.newest()
    listed = await git.versions()

    assert found.release.version == newest
    names = [one.version for one in listed if one.is_followed] + [one.version for one in listed if not one.is_followed]
    assert [one.version for one in listed] == names
    assert sorted(names) == ["v1.10.0", "v1.2.0", "v1.9.0", "v2.0.0-rc.1"]
    assert names[0] == newest
    assert (await git.newest("v1.2.0")).release.version.startswith("v1.2.0")
    assert all(one.released_at for one in listed)


async def test_the_versions_of_a_branch_are_its_last_commits(remote: Remote) -> None:
    commits = [remote.commit(f"feat: {number}") for number in range(3)]

    listed = await source(remote).versions()

    assert [one.ref for one in listed[:3]] == commits[::-1]
    assert (await source(remote).newest(listed[1].ref)).release.source_revision == commits[1]


async def test_a_commit_made_meanwhile_is_found_by_the_next_question(remote: Remote) -> None:
    git = source(remote)
    before = await git.newest()
    after = remote.commit("feat: meanwhile")

    assert (await git.newest()).release.source_revision == after != before.release.source_revision


async def test_a_history_that_was_rewritten_is_followed(remote: Remote) -> None:
    git = source(remote)
    remote.commit("feat: a mistake")
    await git.newest()
    remote.git("reset", "--quiet", "--hard", "HEAD~1")
    again = remote.commit("feat: right this time")

    assert (await git.newest()).release.source_revision == again


async def test_versions_are_tags_and_numbers_of_commits_where_there_is_none(remote: Remote) -> None:
    git = source(remote)
    remote.git("tag", "before-house")
    untagged = (await git.newest()).release
    remote.git("tag", "v1.2.0")
    tagged = (await git.newest()).release
    commit = remote.commit("fix: after the tag")
    remote.git("tag", "reviewed")
    after = (await git.newest()).release

    assert untagged.version == f"v0.0.1-g{untagged.source_revision[:7]}"
    assert tagged.version == "v1.2.0"
    assert after.version == f"v1.2.0-1-g{commit[:7]}"


@pytest.mark.parametrize("tag", ["20260131", "1234567"])
async def test_a_tag_that_could_be_the_beginning_of_a_commit_is_a_version(remote: Remote, tag: str) -> None:
    remote.git("tag", tag)

    assert (await source(remote).newest()).release.version == tag


@pytest.mark.parametrize("kind", ["heads", "tags"])
async def test_a_branch_or_tag_with_the_name_of_a_commit_is_not_deployed_in_its_place(
    remote: Remote, kind: str
) -> None:
    confirmed = remote.git("rev-parse", "HEAD")
    pushed = remote.commit("feat: nobody has looked at this")
    remote.git("update-ref", f"refs/{kind}/{confirmed}", pushed)
    remote.git("update-ref", f"refs/{kind}/{confirmed[:12]}", pushed)

    assert (await source(remote).newest(confirmed)).release.source_revision == confirmed
    with pytest.raises(StepFailed, match=f"beginning of commit {confirmed}"):
        await source(remote).newest(confirmed[:12])


async def test_a_commit_that_is_gone_is_not_a_branch_of_its_name(remote: Remote) -> None:
    gone = "0123456789abcdef0123456789abcdef01234567"
    remote.git("update-ref", f"refs/heads/{gone}", "HEAD")

    with pytest.raises(StepFailed, match="has no branch, tag or commit"):
        await source(remote).newest(gone)


@pytest.mark.parametrize("name", ["beef", "20260131"])
async def test_a_branch_whose_name_has_hexadecimal_digits_is_found(remote: Remote, name: str) -> None:
    remote.git("checkout", "--quiet", "-b", name)
    commit = remote.commit("feat: on that branch")

    assert (await source(remote, branch=name).newest()).release.source_revision == commit


async def test_a_default_branch_that_was_never_pushed_is_not_needed_where_a_branch_is_configured(
    remote: Remote,
) -> None:
    """`git init --bare` on a server names `master`, and many push `main`."""
    commit = remote.git("rev-parse", "main")
    remote.git("symbolic-ref", "HEAD", "refs/heads/master")

    assert (await source(remote).newest()).release.source_revision == commit
    assert (await of_default_branch(remote).newest("main")).release.source_revision == commit
    with pytest.raises(StepFailed, match="has no commit on its default branch") as refused:
        await of_default_branch(remote).newest()
    assert "update.git.branch" in refused.value.remedy


@pytest.mark.parametrize("name", ["HEAD", "HEAD/x"])
async def test_a_branch_named_head_ends_no_app_s_updates(remote: Remote, name: str) -> None:
    commit = remote.git("rev-parse", "main")
    git = of_default_branch(remote)
    await git.newest()
    mirrored = remote.path.parent / "mirrors" / "app.git"
    # Earlier versions kept the default branch there.
    remote.git("--git-dir", str(mirrored), "update-ref", "refs/remotes/origin/HEAD", commit)
    remote.git("update-ref", f"refs/heads/{name}", "main")
    newer = remote.commit("feat: after that")

    assert (await git.newest()).release.source_revision == newer
    assert (await source(remote).newest()).release.source_revision == newer


async def test_a_clone_without_its_whole_history_is_a_source_and_gets_the_rest_later(
    remote: Remote, tmp_path: Path
) -> None:
    first = remote.git("rev-parse", "HEAD")
    second = remote.commit("feat: the second")
    clone = tmp_path / "clone"
    remote.git("clone", "--quiet", "--depth", "1", remote.path.as_uri(), str(clone))
    git = GitRepository(GitSource(remote="."), tmp_path / "mirrors" / "app.git", clone)

    assert (await git.newest()).release.source_revision == second
    await git.fetch(second, tmp_path / "out")
    third = remote.commit("feat: the third")
    remote.git("-C", str(clone), "pull", "--quiet")
    assert (await git.newest()).release.source_revision == third
    assert [one.subject for one in await changes_of(git, second, third)] == ["the third"]
    remote.git("-C", str(clone), "fetch", "--quiet", "--unshallow")
    assert (await git.newest(first[:8])).release.source_revision == first


@pytest.mark.parametrize("ref", ["other", "v1.0.0", "the commit", "the commit, abbreviated"])
async def test_a_branch_a_tag_or_a_commit_is_found_by_its_name(remote: Remote, ref: str) -> None:
    remote.git("checkout", "--quiet", "-b", "other")
    commit = remote.commit("feat: elsewhere")
    remote.git("tag", "v1.0.0")
    remote.git("checkout", "--quiet", "main")
    remote.commit("feat: newer than that")
    name = {"the commit": commit, "the commit, abbreviated": commit[:8]}.get(ref, ref)

    assert (await source(remote).newest(name)).release.source_revision == commit


async def test_a_name_that_stands_for_nothing_is_refused_with_what_to_correct(remote: Remote) -> None:
    with pytest.raises(StepFailed, match="has no branch, tag or commit 'no-such'") as refused:
        await source(remote).newest("no-such")

    assert "update.git.branch" in refused.value.remedy


async def test_a_remote_that_is_not_there_is_named(remote: Remote) -> None:
    with pytest.raises(StepFailed, match="/no/such/repository"):
        await source(remote, url="/no/such/repository").newest()


async def test_a_name_of_a_remote_is_looked_up_in_the_checkout(remote: Remote, tmp_path: Path) -> None:
    upstream = Remote(tmp_path / "upstream")
    commit = upstream.commit("feat: from upstream")
    remote.git("remote", "add", "upstream", str(upstream.path))

    found = await source(remote, url="upstream").newest()

    assert found.release.source_revision == commit
    with pytest.raises(StepFailed, match="has no remote 'origin'"):
        await source(remote, url="origin").newest()


@pytest.mark.parametrize("url", ["git@git.test:shop.git", "ssh://git.test/shop.git", "host:/shop"])
async def test_a_name_of_a_remote_that_needs_ssh_says_what_is_missing(remote: Remote, url: str) -> None:
    remote.git("remote", "add", "origin", url)

    with pytest.raises(StepFailed, match=r"reached by SSH, and update\.git\.key_file is not set"):
        await source(remote, url="origin").newest()


async def test_credentials_of_a_url_are_shown_to_nobody(remote: Remote) -> None:
    shown = await source(remote, url="https://me:secret@git.test/shop.git").origin()

    assert shown == "https://git.test/shop.git"


async def test_changes_come_the_newest_first(remote: Remote) -> None:
    since = remote.git("rev-parse", "HEAD")
    for number in range(3):
        remote.commit(f"feat: number {number}")
    git = source(remote)

    changes = await changes_of(git, since, (await git.newest()).release.source_revision)

    assert [change.subject for change in changes] == ["number 2", "number 1", "number 0"]


async def test_a_message_of_megabytes_is_read_in_part(remote: Remote) -> None:
    since = remote.git("rev-parse", "HEAD")
    (remote.path / "more.py").write_text("")
    remote.git("add", "--all")
    (remote.path / ".git" / "message").write_text(f"feat: {'a.' * 500_000}://")
    remote.git("commit", "--quiet", "--file", ".git/message")
    git = source(remote)
    found = await git.newest()

    (change,) = await changes_of(git, since, found.release.source_revision)

    assert change.kind == "feat"
    assert len(change.subject) < MOST_OF_MESSAGE


async def test_a_message_is_read_without_control_characters(remote: Remote) -> None:
    since = remote.git("rev-parse", "HEAD")
    until = remote.commit(f"feat(\x1b[31mshop): a{QUESTION}b\x9b6nc\u202ed")
    git = source(remote)
    await git.newest()

    (change,) = await changes_of(git, since, until)

    assert (change.kind, change.scope, change.subject) == ("feat", "shop", "abcd")


@pytest.mark.parametrize("path", [".", ""])
async def test_a_commit_that_changes_no_file_is_a_change_that_says_so(remote: Remote, path: str) -> None:
    since = remote.git("rev-parse", "HEAD")
    remote.commit("feat: a cart")
    remote.git("commit", "--quiet", "--allow-empty", "-m", "chore: deploy it again")
    git = source(remote, path=path)

    changes = await changes_of(git, since, (await git.newest()).release.source_revision)

    assert [change.subject for change in changes] == ["deploy it again (changes no file)", "a cart"]


async def test_an_app_in_a_folder_has_no_changes_of_others(remote: Remote) -> None:
    since = remote.git("rev-parse", "HEAD")
    remote.commit("feat: a cart", file="shop/app.py")
    remote.commit("feat: a till", file="till/app.py")
    remote.git("commit", "--quiet", "--allow-empty", "-m", "chore: deploy it again")
    git = source(remote, path="shop")

    changes = await changes_of(git, since, (await git.newest()).release.source_revision)

    assert [change.subject for change in changes] == ["a cart"]


async def test_the_checkout_is_named_by_what_a_person_knows_of_it(remote: Remote) -> None:
    assert await source(remote, url=".").origin() == ". (the checkout that compose.yaml is in)"
    assert await source(remote).origin() == str(remote.path)


async def test_changes_are_those_between_two_commits_without_merges(remote: Remote) -> None:
    since = remote.git("rev-parse", "HEAD")
    remote.commit("feat(till): count")
    remote.git("checkout", "--quiet", "-b", "side")
    remote.commit("fix: mend", file="side.py")
    remote.git("checkout", "--quiet", "main")
    remote.commit("docs: explain\n\nBREAKING CHANGE: the port is 9000", file="docs.md")
    remote.git("merge", "--quiet", "--no-ff", "-m", "Merge branch side", "side")
    git = source(remote)
    until = (await git.newest()).release.source_revision

    changes = await changes_of(git, since, until)

    assert sorted(change.subject for change in changes) == ["count", "explain", "mend"]
    assert [change.subject for change in changes if change.breaking] == ["explain"]
    assert await changes_of(git, "", until) == ()
    assert await changes_of(git, "f" * 40, until) == ()


async def test_an_app_in_a_folder_is_as_new_as_the_last_commit_that_changed_the_folder(remote: Remote) -> None:
    wanted = remote.commit("feat: of the shop", file="shop/app.py")
    remote.commit("feat: of others", file="others/app.py")
    git = source(remote, path="shop")

    newest = await git.newest()
    changes = await changes_of(git, remote.git("rev-list", "--max-parents=0", "HEAD"), remote.git("rev-parse", "HEAD"))

    assert newest.release.source_revision == wanted
    assert [change.subject for change in changes] == ["of the shop"]


async def test_exactly_the_commit_is_fetched_and_never_what_lies_in_the_working_tree(
    remote: Remote, tmp_path: Path
) -> None:
    commit = remote.git("rev-parse", "HEAD")
    remote.commit("feat: newer")
    (remote.path / "app.py").write_text("not committed")
    (remote.path / "secret").write_text("not committed either")
    folder = tmp_path / "work" / "d1"
    folder.mkdir(parents=True)
    (folder / "left over").write_text("from an interrupted deployment")
    git = source(remote)
    await git.newest()

    await git.fetch(commit, folder)

    assert {path.name: path.read_text() for path in folder.iterdir()} == {"app.py": "feat: the first"}
    assert [path.name for path in folder.parent.iterdir()] == ["d1"]


async def test_a_commit_that_is_not_there_is_not_fetched(remote: Remote, tmp_path: Path) -> None:
    git = source(remote)
    await git.newest()

    with pytest.raises(StepFailed):
        await git.fetch("f" * 40, tmp_path / "work")


async def test_a_commit_that_another_one_contains_is_older(remote: Remote) -> None:
    first = remote.git("rev-parse", "HEAD")
    second = remote.commit("feat: the second")
    remote.git("checkout", "--quiet", "-b", "other", first)
    aside = remote.commit("feat: elsewhere")
    repository = source(remote)
    await repository.newest()

    assert await repository.is_older(first, second)
    assert not await repository.is_older(second, first)
    assert not await repository.is_older(aside, second)
    assert not await repository.is_older(first, "0" * 40)
    assert not await repository.is_older(first, "")


async def test_a_submodule_is_refused_where_the_app_would_lack_it(remote: Remote, tmp_path: Path) -> None:
    other = Remote(tmp_path / "other")
    other.commit("feat: a library")
    remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "web/library")
    commit = remote.commit("feat: use it")
    git = source(remote)
    await git.newest()

    with pytest.raises(StepFailed, match="has submodules, which are not fetched: web/library"):
        await git.fetch(commit, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()

    elsewhere = source(remote, path="api")
    await elsewhere.fetch(commit, tmp_path / "tree")


async def test_a_submodule_in_another_folder_that_is_built_from_is_refused(remote: Remote, tmp_path: Path) -> None:
    other = Remote(tmp_path / "other")
    other.commit("feat: a library")
    remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "libraries/one")
    commit = remote.commit("feat: use it", "api/Dockerfile")
    settings = GitSource(remote=str(remote.path), path="api")
    git = GitRepository(settings, tmp_path / "mirrors" / "app.git", remote.path, context=".")
    await git.newest()

    with pytest.raises(StepFailed, match="has submodules, which are not fetched: libraries/one"):
        await git.fetch(commit, tmp_path / "tree")


async def test_files_that_a_repository_leaves_out_of_its_packages_are_fetched(remote: Remote, tmp_path: Path) -> None:
    remote.commit("build: packages", ".gitattributes", "Dockerfile export-ignore\nversion export-subst\n")
    remote.commit("feat: a version", "version", "$Format:%H$\n")
    commit = remote.commit("build: an image", "Dockerfile", "FROM scratch\n")
    git = source(remote)
    await git.newest()

    await git.fetch(commit, tmp_path / "tree")

    assert (tmp_path / "tree" / "Dockerfile").read_text() == "FROM scratch\n"
    assert (tmp_path / "tree" / "version").read_text() == "$Format:%H$\n"


async def test_a_pointer_of_git_lfs_is_refused_instead_of_built(remote: Remote, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    remote.commit("feat: a picture", "web/picture.png", pointer)
    plain = remote.commit("docs: what a pointer looks like")
    commit = remote.commit("build: lfs", ".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
    git = source(remote)
    await git.newest()

    await git.fetch(plain, tmp_path / "tree")
    with pytest.raises(StepFailed, match=r"has files in Git LFS, which are not fetched: web/picture\.png"):
        await git.fetch(commit, tmp_path / "tree")


async def test_a_folder_that_is_not_mounted_is_told_from_one_that_is_no_repository(tmp_path: Path) -> None:
    missing = GitRepository(GitSource(remote=str(tmp_path / "gone")), tmp_path / "mirror.git", tmp_path)

    with pytest.raises(StepFailed, match="does not exist in the orchestrator's container") as failed:
        await missing.newest()

    assert "compose.override.yaml" in failed.value.remedy


@pytest.mark.parametrize(
    "url",
    ["--upload-pack=touch {mark}", "ext::sh -c 'touch {mark}'", "ext::touch {mark}", "-u{mark}", "fd::3,4{mark}"],
)
async def test_a_remote_that_is_an_option_or_a_program_is_refused_and_runs_nothing(
    remote: Remote, tmp_path: Path, url: str
) -> None:
    """Also one that was written into the checkout's own settings, which no configuration file says."""
    mark = tmp_path / "mark"
    remote.git("config", "remote.origin.url", url.format(mark=mark))
    settings = GitSource.model_construct(remote=url.format(mark=mark), branch="main", path=".")

    for git in (source(remote, url="origin"), GitRepository(settings, tmp_path / "mirrors" / "b.git", remote.path)):
        with pytest.raises(StepFailed, match="cannot be used"):
            await git.newest()

    assert not mark.exists()


async def test_programs_that_git_would_run_by_its_settings_are_not_run(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of the user, variables of the orchestrator, and hooks and settings of the repository."""
    mark, home = tmp_path / "mark", tmp_path / "home"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    program.chmod(0o755)
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[core]\nfsmonitor = {program}\nhooksPath = {home}\n[credential]\nhelper = !{program}\n"
        f'[url "ext::{program}"]\ninsteadOf = {remote.path}\n[uploadpack]\npackObjectsHook = {program}\n'
    )
    for hook in ("post-update", "pre-receive", "reference-transaction", "post-checkout"):
        (home / hook).write_text(program.read_text())
        (home / hook).chmod(0o755)
    remote.git("config", "uploadpack.packObjectsHook", str(program))
    remote.git("config", "core.fsmonitor", str(program))
    monkeypatch.setenv("HOME", str(home))
    for name in ("GIT_SSH", "GIT_ASKPASS", "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_EDITOR"):
        monkeypatch.setenv(name, str(program))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXEC_PATH", str(home))
    git = source(remote)

    newest = await git.newest()
    await git.fetch(newest.release.source_revision, tmp_path / "work")

    assert (tmp_path / "work" / "app.py").exists()
    assert not mark.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
async def test_a_checkout_of_another_user_is_read(remote: Remote) -> None:
    for path in (remote.path, *remote.path.rglob("*")):
        os.chown(path, 1000, 1000)

    found = await source(remote).newest()

    assert found.release.source_revision


@pytest.mark.parametrize("names_the_folder_above", [False, True])
async def test_a_tree_that_was_made_to_write_elsewhere_writes_nothing_there(
    remote: Remote, tmp_path: Path, names_the_folder_above: bool
) -> None:
    """Trees that `git add` never makes, and that a server can send all the same.

    Git itself refuses to archive one with `..`; one with a link and a folder of the same name is left to tar.
    """
    (tmp_path / "outside").mkdir()
    blob = remote.git("rev-parse", "HEAD:app.py")
    evil = remote.tree(("100644", "evil", blob))
    link = remote.blob(str(tmp_path / "outside"))
    up = remote.blob("../../outside")
    tree = remote.tree(
        ("120000", "a", link), ("40000", "a", evil), ("120000", "b", up), ("40000", "b", evil),
        *([("40000", "..", evil)] if names_the_folder_above else []), ("100644", "good", blob),
    )  # fmt: skip
    commit = remote.git("commit-tree", "-m", "feat: evil", tree)
    remote.git("update-ref", "refs/heads/main", commit)
    git = source(remote)
    await git.newest()
    folder = tmp_path / "work" / "d1"

    with contextlib.suppress(StepFailed):
        await git.fetch(commit, folder)

    assert list((tmp_path / "outside").iterdir()) == []
    assert {one.name for one in tmp_path.iterdir()} == {"outside", "remote", "mirrors", "work"}
    assert {one.name for one in (tmp_path / "work").iterdir()} <= {"d1"}


async def test_links_of_a_source_are_written_as_links_and_none_is_followed(remote: Remote, tmp_path: Path) -> None:
    (remote.path / "passwords").symlink_to("/etc/passwd")
    (remote.path / "up").symlink_to("../..")
    commit = remote.commit("feat: links")
    git = source(remote)
    await git.newest()

    await git.fetch(commit, tmp_path / "work" / "d1")

    assert (tmp_path / "work" / "d1" / "passwords").readlink() == Path("/etc/passwd")
    assert (tmp_path / "work" / "d1" / "up").readlink() == Path("../..")


@pytest.mark.parametrize("ref", ["--output=MARK", "-h", "main:app.py", "HEAD^{/feat}", "main@{0}", "main~0", "a b"])
async def test_a_ref_that_is_an_option_or_an_expression_is_refused(remote: Remote, tmp_path: Path, ref: str) -> None:
    with pytest.raises(StepFailed, match="is not a name of a branch, tag or commit"):
        await source(remote).newest(ref.replace("MARK", str(tmp_path / "mark")))

    assert not (tmp_path / "mark").exists()


async def test_a_branch_or_tag_of_the_repository_that_looks_like_an_option_does_no_harm(
    remote: Remote, tmp_path: Path
) -> None:
    commit = remote.git("rev-parse", "HEAD")
    for name in ("refs/heads/--upload-pack=x", "refs/tags/--output=x", "refs/tags/-v9"):
        remote.git("update-ref", name, commit)
    git = source(remote)

    newest = await git.newest()
    await git.fetch(newest.release.source_revision, tmp_path / "work")

    assert newest.release.source_revision == commit


@pytest.mark.parametrize("revision", ["--output=x", "main", "HEAD", "", "f" * 39])
async def test_only_a_commit_is_fetched(remote: Remote, tmp_path: Path, revision: str) -> None:
    git = source(remote)
    await git.newest()

    with pytest.raises(StepFailed, match="is not a commit"):
        await git.fetch(revision, tmp_path / "work")


async def test_submodules_are_never_fetched(remote: Remote, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (remote.path / ".gitmodules").write_text(
        f'[submodule "x"]\npath = x\nurl = ext::touch {mark}\nupdate = !touch {mark}\n'
    )
    remote.git("add", ".gitmodules")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},x")
    remote.git("commit", "--quiet", "-m", "feat: a submodule")
    commit = remote.git("rev-parse", "HEAD")
    git = source(remote)
    await git.newest()

    with pytest.raises(StepFailed, match="has submodules"):
        await git.fetch(commit, tmp_path / "work")

    assert not mark.exists()


def _lock_of_a_ref(mirror: Path) -> None:
    (mirror / "refs/remotes/origin").mkdir(parents=True, exist_ok=True)
    (mirror / "refs/remotes/origin/main.lock").touch()


def _lock_of_packed_refs(mirror: Path) -> None:
    (mirror / "packed-refs.lock").touch()


def _no_objects(mirror: Path) -> None:
    for file in [*mirror.glob("objects/??/*"), *mirror.glob("objects/pack/*")]:
        file.chmod(0o644)
        file.unlink()


def _empty_objects(mirror: Path) -> None:
    for file in [*mirror.glob("objects/??/*"), *mirror.glob("objects/pack/*.pack")]:
        file.chmod(0o644)
        file.write_bytes(b"")


def _half_a_head(mirror: Path) -> None:
    (mirror / "HEAD").write_text("ref: ")


def _half_a_configuration(mirror: Path) -> None:
    (mirror / "config").write_text("[core")


def _an_empty_folder(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.mkdir()


def _a_file(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.write_text("not a repository")


DAMAGES = [
    _lock_of_a_ref, _lock_of_packed_refs, _no_objects, _empty_objects, _half_a_head, _half_a_configuration,
    _an_empty_folder, _a_file,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_mirror_is_found_and_made_anew_by_the_next_check_and_deployment(
    remote: Remote, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    repository = source(remote)
    first = (await repository.newest()).release.source_revision
    mirror = remote.path.parent / "mirrors" / "app.git"
    damage(mirror)
    second = remote.commit("feat: the second")

    assert (await repository.newest()).release.source_revision == second
    damage(mirror)
    await repository.fetch(second, tmp_path / "work")
    assert (tmp_path / "work" / "app.py").read_text() == "feat: the second"
    assert [change.subject for change in await changes_of(repository, first, second)] == ["the second"]


async def test_what_a_killed_download_left_is_removed_and_takes_no_room(remote: Remote) -> None:
    repository = source(remote)
    await repository.newest()
    mirror = remote.path.parent / "mirrors" / "app.git"
    half = mirror / "objects" / "pack" / "tmp_pack_abc"
    half.write_bytes(b"x" * 1000)
    (mirror / "shallow.lock").touch()
    (mirror / "packed-refs.lock").touch()
    remote.git("branch", "another")
    remote.git("branch", "--move", "main", "trunk")
    remote.commit("feat: more")

    await source(remote, branch="trunk").newest()

    assert not half.exists()


async def test_a_fetch_that_is_cancelled_at_any_moment_leaves_a_mirror_that_works(
    remote: Remote, tmp_path: Path
) -> None:
    """And nothing that goes on writing to it: what comes next finds no lock of a process that runs."""
    repository = source(remote)
    mirror = remote.path.parent / "mirrors" / "app.git"
    for number in range(10):
        commit = remote.commit(f"feat: number {number}")
        fetching = asyncio.create_task(repository.newest())
        await asyncio.sleep(number * 0.004)
        fetching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await fetching
        assert not any(str(mirror) in command for command in _commands()), number

        assert (await repository.newest()).release.source_revision == commit
        await repository.fetch(commit, tmp_path / "work")
    assert not list(mirror.rglob("*.lock"))


def _commands() -> list[str]:
    """The command lines of the processes of this machine."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [one for one in found if one.startswith("git ")]


async def test_a_mirror_of_many_objects_is_packed_and_no_process_of_git_runs_on(remote: Remote) -> None:
    repository = source(remote)
    await repository.newest()
    mirror = remote.path.parent / "mirrors" / "app.git"
    with (mirror / "config").open("a") as settings:
        settings.write("[gc]\n\tautoPackLimit = 1\n[fetch]\n\tunpackLimit = 1\n")

    for number in range(3):
        remote.commit(f"feat: number {number}")
        await repository.newest()

    assert not any(str(mirror) in command for command in _commands())
    assert not list(mirror.rglob("*.lock"))
    assert len(list(mirror.glob("objects/pack/*.pack"))) == 1


async def test_two_objects_of_one_mirror_take_turns(remote: Remote, tmp_path: Path) -> None:
    """A changed configuration makes a new object while the former one still fetches for a check or a deployment."""
    lock = asyncio.Lock()
    settings = GitSource(remote=str(remote.path), branch="main")
    one, other = (GitRepository(settings, tmp_path / "mirrors" / "app.git", remote.path, lock) for _ in range(2))
    for number in range(4):
        wanted = remote.commit(f"feat: number {number}")
        remote.git("branch", f"branch-{number}")

        found = await asyncio.gather(*(source.newest() for source in (one, other) * 3))

        assert {each.release.source_revision for each in found} == {wanted}


@pytest.mark.parametrize("moment", ["253402300800", "9" * 15])
async def test_a_commit_of_the_year_10000_fails_the_check_with_its_reason(remote: Remote, moment: str) -> None:
    tree = remote.git("rev-parse", "HEAD^{tree}")
    content = f"tree {tree}\nauthor T <t@t> {moment} +0000\ncommitter T <t@t> {moment} +0000\n\nfeat: late\n"
    remote.git("update-ref", "refs/heads/main", remote.written("commit", content.encode()))

    with pytest.raises(StepFailed, match="has no usable date"):
        await source(remote).newest()


async def test_a_mirror_is_not_made_anew_when_its_remote_is_the_cause(remote: Remote) -> None:
    repository = source(remote)
    await repository.newest()
    mirror = remote.path.parent / "mirrors" / "app.git"
    made = mirror.stat().st_ino

    with pytest.raises(StepFailed, match="has no branch, tag or commit 'nowhere'"):
        await repository.newest("nowhere")
    remote.path.rename(remote.path.with_name("away"))
    with pytest.raises(StepFailed):
        await repository.newest()

    assert mirror.stat().st_ino == made


async def test_a_git_that_cannot_be_started_fails_the_check_with_its_reason(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the orchestrator has no process left, as well."""
    commit = (await source(remote).newest()).release.source_revision
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    with pytest.raises(StepFailed, match="git fetch could not be started: No such file or directory"):
        await source(remote).newest()
    with pytest.raises(StepFailed, match="git ls-tree could not be started"):
        await source(remote).fetch(commit, tmp_path / "out")


async def test_a_tree_that_the_disk_has_no_room_for_is_not_written(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small repository may hold one of any size."""
    (remote.path / "zeros").write_bytes(bytes(50_000_000))
    commit = remote.commit("feat: zeros")
    source = GitRepository(GitSource(remote=str(remote.path)), tmp_path / "mirrors" / "app.git", tmp_path)
    await source.newest()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 100_000_000))

    with pytest.raises(StepFailed, match="needs 95 MiB to be unpacked, and the disk has 95 MiB free"):
        await source.fetch(commit, tmp_path / "tree")
    assert [*tmp_path.glob("tree*/*"), *tmp_path.glob("*.tar")] == []


async def test_more_names_than_are_read_are_an_error_and_not_fewer_names(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.commit("feat: many")
    source = GitRepository(GitSource(remote=str(remote.path)), tmp_path / "mirrors" / "app.git", tmp_path)
    await source.newest()
    monkeypatch.setattr(child_process, "MOST_OUTPUT_BYTES", 20)

    with pytest.raises(StepFailed, match=r"The output of git ls-tree is not used: it wrote more than 0 MiB") as failed:
        await source.fetch(commit, tmp_path / "tree")
    assert failed.value.remedy
