"""The Git source: a repository at a URL or path. It fetches exact commits, never a working tree."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog

from border.secrets import Secrets
from border.urls import credentials_in, without_credentials
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.release import Change, Release
from orchestrator.domain.source_names import is_commit, is_ref, why_no_remote, why_not_fetched
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import mirror
from orchestrator.sources.base import SourceRelease
from orchestrator.sources.commits import changes_between, is_whole
from orchestrator.sources.git_credentials import token_environment
from orchestrator.sources.git_environment import ENVIRONMENT
from orchestrator.sources.git_error import command_of, error_line, last_lines
from orchestrator.sources.git_names import DEFAULT_BRANCH, commit_named, newest_tag, version_of
from orchestrator.sources.git_process import FETCH_TIMEOUT_S, NOTHING, ended_command
from orchestrator.sources.unsupported import refuse_incomplete, refuse_missing_folder

log = structlog.get_logger()
T = TypeVar("T")

FETCH = ("fetch", "--quiet", "--prune", "--force", "--update-shallow", "--no-write-fetch-head", "--no-auto-maintenance")
NO_DEFAULT_BRANCH = "find remote ref HEAD"
MENDINGS = 2  # a mirror may have a lock of a process that was killed, and be damaged as well
MOST_OF_MESSAGE = 10_000
"""Characters of a commit's message that are read: whoever commits decides how long it is."""


class GitRepository:
    """A Git remote, mirrored into the folder `mirror`. `.` and names of remotes refer to `checkout`.

    `refusal`: why this remote cannot be the app's source; it is raised whenever the remote would be asked. `context`:
    another folder of the repository that the image is built from. `beside`: the folder of the configuration file.
    """

    def __init__(
        self,
        settings: GitSource,
        mirror: Path,
        checkout: Path,
        lock: asyncio.Lock | None = None,
        *,
        refusal: str = "",
        context: str | None = None,
        known_secrets: Secrets | None = None,
        beside: Path | None = None,
    ) -> None:
        self.settings = settings
        self._mirror = mirror
        self._checkout = checkout
        self._lock = lock or asyncio.Lock()
        self._refusal = refusal
        self._built_from = (settings.path,) if context is None else (settings.path, context)
        self._made_anew = 0
        self._border = known_secrets or Secrets()
        self._beside = beside or checkout

    async def origin(self) -> str:
        """The remote's URL or path, without credentials. Raises StepFailed for an unknown name of a remote.

        The path of the checkout is one in the orchestrator's container, which nobody knows from outside.
        """
        address = self._border.text(without_credentials(await self._remote()))
        return f"{address} (the checkout that compose.yaml is in)" if self.settings.remote == "." else address

    async def newest(self, ref: str = "") -> SourceRelease:
        """Fetch, and resolve `ref`: a branch, tag or commit; empty: the newest commit of the configured branch.

        Raises StepFailed when the remote does not answer or has no such branch, tag or commit.
        """
        return await self._mended(lambda: self._newest(ref))

    async def _newest(self, ref: str) -> SourceRelease:
        if ref and not is_ref(ref):
            raise StepFailed(
                f"'{ref[:80]}' is not a name of a branch, tag or commit.", "Correct the --ref that was given."
            )
        wanted = ref or self.settings.tags or self.settings.branch or "HEAD"
        async with self._lock:
            await self._fetch(*((f"+HEAD:{DEFAULT_BRANCH}",) if wanted == "HEAD" else ()))
        if self.settings.tags and not ref:
            return await self._newest_tag(self.settings.tags)
        if commit := await commit_named(self._git, wanted):
            return await self._release(commit if ref else await self._last_that_matters(commit))
        raise StepFailed(
            f"{await self.origin()} has no branch, tag or commit '{wanted}'.",
            "Correct update.git.branch, or the --ref that was given.",
        )

    async def _newest_tag(self, pattern: str) -> SourceRelease:
        tag, commit = await newest_tag(self._git, pattern)
        if not commit:
            raise StepFailed(
                f"{await self.origin()} has no tag that is a version and matches '{pattern}'.",
                "Correct update.git.tags, or push such a tag.",
            )
        found = await self._release(commit)
        return replace(found, release=replace(found.release, version=tag))

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write the tree of the commit into `folder`, which is created again if it exists. Raises StepFailed.

        Links are written as links: whoever reads a file of the tree must not follow them out of it.
        """
        await self._mended(lambda: self._write_tree(source_revision, folder))

    async def _write_tree(self, source_revision: str, folder: Path) -> None:
        if not is_commit(source_revision):
            raise StepFailed(f"'{source_revision[:80]}' is not a commit.", "Deploy the app again.")
        await refuse_incomplete(self._git, source_revision, self._built_from)
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        packed = folder.with_name(folder.name + ".tar")
        mirror.keep_every_file(self._mirror)
        try:
            await self._git("archive", "--format=tar", "--output", str(packed), source_revision)
            # tar itself writes nothing through a link that it has unpacked, and strips `..` and `/` from names.
            unpack = ("tar", "--no-same-owner", "--no-same-permissions", "-C", str(folder), "-xf", str(packed))
            ended = await ended_command("tar", *unpack)
        finally:
            packed.unlink(missing_ok=True)
        if ended.exit_code != 0:
            raise StepFailed(
                f"Commit {source_revision} could not be unpacked into {folder}.",
                "Check the free disk space: changeover doctor",
            )

    async def changes(self, since: str, until: str) -> tuple[Change, ...]:
        """Commits after `since` up to `until`, the newest first, without merges. Empty if `since` is not known."""
        return await self._mended(lambda: self._changes(since, until))

    async def _changes(self, since: str, until: str) -> tuple[Change, ...]:
        if not (is_commit(since) and is_commit(until)) or not await self._git("cat-file", "-t", since, check=False):
            return ()
        return await changes_between(self._git, since, until, self.settings.path, self._message)

    def _message(self, text: str) -> str:
        # More is read than is kept, so that no half of a secret stays at the end.
        return self._border.cut(text[: 2 * MOST_OF_MESSAGE], MOST_OF_MESSAGE)

    async def is_older(self, revision: str, than: str) -> bool:
        """Whether `revision` is an ancestor of the commit `than`, or the same. False if one of them is not known."""
        known = is_commit(revision) and is_commit(than)
        common = await self._git("merge-base", revision, than, check=False) if known else ""
        return bool(common) and common.strip() == revision

    async def _last_that_matters(self, commit: str) -> str:
        """The last commit, up to `commit`, that changed the app's folder in the repository (`update.git.path`)."""
        if is_whole(self.settings.path):
            return commit
        found = await self._git("rev-list", "--max-count=1", commit, "--", self.settings.path)
        return found.strip() or commit

    async def _release(self, commit: str) -> SourceRelease:
        version = await version_of(self._git, commit)
        moment = (await self._git("show", "--no-patch", "--format=%ct", f"{commit}^{{commit}}")).strip()
        try:
            released_at = datetime.fromtimestamp(int(moment), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise StepFailed(
                f"Commit {commit[:12]} of {await self.origin()} has no usable date: {moment[:40]}.",
                "Commit again with a date between the years 1 and 9999.",
            ) from error
        return SourceRelease(Release(version, commit), released_at)

    async def _remote(self) -> str:
        """The address to fetch from. Raises StepFailed for one that is an option, or runs a program."""
        remote = await self._configured_remote()
        if why := why_no_remote(remote) or why_not_fetched(remote):
            raise StepFailed(
                f"The remote '{self.settings.remote[:80]}' cannot be used: {why}.",
                "Set update.git.remote to a URL, a path, or '.' for the checkout itself.",
            )
        return remote

    async def _configured_remote(self) -> str:
        remote = self.settings.remote
        if remote == ".":
            return str(self._checkout)
        if re.fullmatch(r"[\w.][\w.-]*", remote):
            url = await self._run("-C", str(self._checkout), "remote", "get-url", remote, check=False)
            if not url:
                raise StepFailed(
                    f"The checkout {self._checkout} has no remote '{remote}'.",
                    "Set update.git.remote to a URL, a path, or '.' for the checkout itself.",
                )
            self._border.know(credentials_in(url))
            return url.strip()
        return remote

    async def _fetch(self, *more: str) -> None:
        """Fetch all branches and tags, and `more`. A default branch may never have been pushed, and need not exist."""
        if self._refusal:
            raise StepFailed(f"This source cannot be used: {self._refusal}.", "Correct the configuration file.")
        remote = await self._remote()
        refuse_missing_folder(remote)
        if not (self._mirror / "HEAD").exists():
            await mirror.make(self._mirror, lambda folder: self._run("init", "--quiet", "--bare", str(folder)))
        branches, tags = "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"
        try:
            fetch = (*FETCH, *mirror.missing_history(self._mirror), "--", remote, branches, tags, *more)
            await self._git(*fetch, env=self._credentials(remote))
        except StepFailed as error:
            if NO_DEFAULT_BRANCH not in error.cause:
                raise
            raise StepFailed(
                f"{await self.origin()} has no commit on its default branch.",
                "Set update.git.branch to a branch that it has, or push to its default branch.",
            ) from error
        if why := self._border.text(await mirror.why_not_packed(self._mirror)):
            log.warning("the mirror of a repository is not packed", mirror=str(self._mirror), cause=why)

    async def _mended(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives. It is asked again when it failed because the mirror was damaged. Raises StepFailed."""
        for _ in range(MENDINGS):
            before = self._made_anew
            try:
                return await ask()
            except StepFailed as error:
                async with self._lock:
                    if self._made_anew == before and not await self._mend(error):
                        raise
        return await ask()

    async def _mend(self, error: StepFailed) -> bool:
        """Mend the mirror, if it is damaged. Returns whether it was. Raises StepFailed when it cannot be made anew."""
        if mirror.remove_stale_locks(self._mirror):
            return True
        if not os.path.lexists(self._mirror) or not await self._is_damaged(error):
            return False
        log.warning("the mirror of a repository is damaged, and is made anew", mirror=str(self._mirror))
        await to_its_end(asyncio.to_thread(mirror.remove, self._mirror))
        await self._fetch()
        self._made_anew += 1
        return True

    async def _is_damaged(self, error: StepFailed) -> bool:
        """Whether the mirror lacks objects or cannot be read. Looked for only if the remote is not the cause."""
        if error.exit_code is None:
            # Git did what it was asked: it is enough that what the branches and tags name can be read.
            return not await self._is_well("--git-dir", str(self._mirror), "for-each-ref", "--format=%(objecttype)")
        remote = await self._remote()
        if not await self._is_well("ls-remote", "--quiet", "--", remote, "HEAD", env=self._credentials(remote)):
            return False
        return not await self._is_well("--git-dir", str(self._mirror), "fsck", "--no-dangling", "--no-progress")

    def _credentials(self, remote: str) -> dict[str, str]:
        return token_environment(self.settings.token_file, self._beside, remote, self._border)

    async def _is_well(self, *arguments: str, env: Mapping[str, str] = NOTHING) -> bool:
        try:
            ended = await child_process.run("git", *arguments, env={**ENVIRONMENT, **env}, timeout_s=FETCH_TIMEOUT_S)
        except OSError:  # it did not end in time, which is a TimeoutError, or could not be started
            return True  # not known to be damaged
        # A ref that cannot be read is a warning, and is left out.
        complains = "for-each-ref" in arguments and bool(ended.err.strip())
        return ended.exit_code == 0 and not complains

    async def _git(self, *arguments: str, check: bool = True, env: Mapping[str, str] = NOTHING) -> str:
        return await self._run("--git-dir", str(self._mirror), *arguments, check=check, env=env)

    async def _run(self, *arguments: str, check: bool = True, env: Mapping[str, str] = NOTHING) -> str:
        ended = await ended_command(command_of(arguments), "git", *arguments, env=env)
        if ended.exit_code == 0:
            return ended.out.decode(errors="replace")
        if not check:
            return ""
        said = self._border.text(last_lines(ended.err))
        raise StepFailed(
            f"The repository {await self.origin()} could not be read: {error_line(said)}.",
            "Correct update.git.remote, or give this host access to the repository.",
            log=tuple(said.splitlines()),
            exit_code=ended.exit_code,
        )
