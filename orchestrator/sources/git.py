"""The Git source: a repository at a URL or path. It fetches exact commits, never a working tree."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.release import Release
from orchestrator.domain.source_names import is_commit, is_ref
from orchestrator.errors import StepFailed
from orchestrator.host.at_once import at_once
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import git_lfs, git_submodules, git_tree, lfs_fetch, mirror
from orchestrator.sources.base import SourceRelease, SourceVersion
from orchestrator.sources.commit_log import MOST_OF_MESSAGE
from orchestrator.sources.commits import is_whole
from orchestrator.sources.git_changelog import changelog_between
from orchestrator.sources.git_mirror import GitMirror
from orchestrator.sources.git_names import commit_named, version_of
from orchestrator.sources.git_process import ended_command
from orchestrator.sources.git_signatures import refuse_unsigned
from orchestrator.sources.git_versions import newest_followed, versions_of
from orchestrator.sources.private_address import NOT_JUDGED, Judgement
from orchestrator.sources.unsupported import refuse_incomplete
from orchestrator.sources.versions import SEMVER, Scheme

FRESH_S = 10.0
"""A commit that is named whole, and is in the mirror, is not asked for again so soon after a fetch: what a push or an
update announces was looked for just before it is deployed."""


class GitRepository:
    """A Git remote, mirrored into the folder `mirror`. `.` and names of remotes refer to `checkout`.

    `refusal`: why this remote cannot be the app's source; it is raised whenever the remote would be asked. `context`:
    another folder of the repository that the image is built from. `beside`: the folder of the configuration file.
    `depth`: of how many repositories, one in the other, this one is a submodule; `submodules`: those that the outermost
    of them has had so far. `judged`: what is known of its server, if another repository names it. `scheme`: by
    what tags are ordered.
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
        depth: int = 0,
        submodules: list[git_submodules.Submodule] | None = None,
        judged: Judgement = NOT_JUDGED,
        scheme: Scheme = SEMVER,
    ) -> None:
        self.settings = settings
        self._scheme = scheme
        self._last: tuple[tuple[str, str], Changelog] | None = None
        # What was found last, by the number of fetches and what was wanted; and which of two commits is older.
        self._offered: dict[tuple[int, str], SourceRelease] = {}
        self._order: tuple[tuple[int, str, str], bool] | None = None
        self._afresh = False
        self._border = known_secrets or Secrets()
        self._mirror = GitMirror(
            settings,
            mirror,
            checkout,
            lock or asyncio.Lock(),
            self._border,
            beside or checkout,
            refusal=refusal,
            is_named=depth > 0,
            judged=judged,
        )
        self._git = self._mirror.git
        self._checkout = checkout
        self._beside = beside or checkout
        self._depth = depth
        self._submodules = submodules
        self._built_from = (settings.path,) if context is None else (settings.path, context)

    async def origin(self) -> str:
        """The remote's URL or path, without credentials. Raises StepFailed for an unknown name of a remote.

        The path of the checkout is one in the orchestrator's container, which nobody knows from outside.
        """
        return await self._mirror.origin()

    async def newest(self, ref: str = "") -> SourceRelease:
        """Fetch, and resolve `ref`: a branch, tag or commit; empty: the newest commit of the configured branch.

        Raises StepFailed when the remote does not answer or has no such branch, tag or commit.
        """
        return await self._mirror.mended(lambda: self._newest(ref))

    async def _newest(self, ref: str) -> SourceRelease:
        if ref and not is_ref(ref):
            raise StepFailed(
                f"'{ref[:80]}' is not a name of a branch, tag or commit.", "Correct the --ref that was given."
            )
        wanted = ref or self.settings.tags or self.settings.branch or "HEAD"
        if not await self._is_known_by_now(ref):
            await self._bring_up_to_date(wanted)
        key = (self._mirror.fetches, wanted if ref else "")
        # Who may sign can be changed meanwhile.
        if key in self._offered and not self.settings.signed_by:
            return self._offered[key]
        found = await self._resolved(ref, wanted)
        self._offered = {key: found}
        if not self.settings.tags:  # what a check has found is deployed next, by its commit
            self._offered[key[0], found.release.source_revision] = found
        return found

    async def _is_known_by_now(self, ref: str) -> bool:
        is_fresh = is_commit(ref) and not self._afresh and self._mirror.was_fetched_within(FRESH_S)
        return is_fresh and bool(await commit_named(self._git, ref))

    async def _bring_up_to_date(self, wanted: str) -> None:
        async with self._mirror.lock:
            await self._mirror.bring_up_to_date(default_branch=wanted == "HEAD", afresh=self._afresh)
            self._afresh = False

    async def _resolved(self, ref: str, wanted: str) -> SourceRelease:
        if self.settings.tags and not ref:
            return await self._newest_tag()
        if commit := await commit_named(self._git, wanted):
            return await self._release(commit if ref else await self._last_that_matters(commit))
        raise StepFailed(
            f"{await self.origin()} has no branch, tag or commit '{wanted}'.",
            "Correct update.git.branch, or the --ref that was given.",
        )

    async def _newest_tag(self) -> SourceRelease:
        tag, commit = await newest_followed(self._git, self.settings, self._scheme, await self.origin())
        found = await self._release(commit)
        return replace(found, release=replace(found.release, version=tag))

    async def versions(self) -> tuple[SourceVersion, ...]:
        """Fetch; the tags that are versions, where tags are followed, or else the last commits of the branch."""
        return await self._mirror.mended(self._versions)

    async def _versions(self) -> tuple[SourceVersion, ...]:
        await self._bring_up_to_date(self.settings.tags or self.settings.branch or "HEAD")
        return await versions_of(self._git, self.settings, self._scheme)

    def forget(self) -> None:
        """The next question fetches, without asking first whether anything changed."""
        self._afresh = True

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write the tree of the commit into `folder`, which is created again if it exists. Raises StepFailed.

        Links are written as links: whoever reads a file of the tree must not follow them out of it.
        """
        await self._mirror.mended(lambda: self._write_tree(source_revision, folder))

    async def _write_tree(self, source_revision: str, folder: Path) -> None:
        if not is_commit(source_revision):
            raise StepFailed(f"'{source_revision[:80]}' is not a commit.", "Deploy the app again.")
        await self._refuse_unsigned(source_revision)
        fetched = {"submodules": self.settings.submodules, "lfs": self.settings.lfs}
        await refuse_incomplete(self._git, source_revision, self._built_from, **fetched)
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        await git_tree.refuse_too_large(self._git, source_revision, folder)
        packed = folder.with_name(folder.name + ".tar")
        mirror.keep_every_file(self._mirror.folder)
        try:
            await self._git("archive", "--format=tar", "--output", str(packed), source_revision)
            # tar itself writes nothing through a link that it has unpacked, and strips `..` and `/` from names.
            unpack = ("tar", "--no-same-owner", "--no-same-permissions", "-C", str(folder), "-xf", str(packed))
            ended = await ended_command("tar", *unpack)
        finally:
            packed.unlink(missing_ok=True)
        if ended.exit_code != 0:
            raise StepFailed(
                f"Commit {source_revision} could not be unpacked.",
                "Check the free disk space: changeover doctor",
            )
        if self.settings.lfs:
            await self._write_files_in_lfs(source_revision, folder)
        await self._write_submodules(source_revision, folder)

    async def _write_files_in_lfs(self, commit: str, folder: Path) -> None:
        pointers = await git_lfs.pointers_in(self._git, commit, self._built_from, folder)
        if not pointers:
            return
        await to_its_end(asyncio.to_thread(git_lfs.refuse_too_large, self._mirror.folder, pointers, folder))
        async with self._mirror.lock:
            await lfs_fetch.fetch(self._mirror, self.settings, commit, pointers, self._beside, self._border)
            await to_its_end(asyncio.to_thread(git_lfs.write_contents, self._mirror.folder, pointers))

    async def _write_submodules(self, commit: str, folder: Path) -> None:
        wanted = self.settings.submodules
        found = await git_submodules.submodules_of(self._git, commit, self._built_from) if wanted else []
        if found and self._depth >= git_submodules.MOST_DEEP:
            raise StepFailed(
                f"Submodules of {await self.origin()} are nested too deeply: at most {self._depth} levels."
            )
        so_far = [] if self._submodules is None else self._submodules
        git_submodules.count(so_far, found, await self.origin())
        # Never in the tree itself: a link of its own may be in the place of a file that is written on the way.
        beside = folder.with_name(f"{folder.name}{git_submodules.UNFINISHED}")
        modules, needed = self._mirror.folder / "modules", set[str]()
        for one in found:
            parent = await self._mirror.address()
            named = await git_submodules.of_server(self.settings, parent, one.url, self._mirror.judged)
            needed.add(name := f"{hashlib.sha256(named.settings.remote.encode()).hexdigest()[:16]}.git")
            module = GitRepository(
                named.settings,
                modules / name,
                self._checkout,
                self._mirror.lock,
                known_secrets=self._border,
                beside=self._beside,
                depth=self._depth + 1,
                submodules=so_far,
                judged=named.judged,
            )
            try:
                to = git_submodules.folder_of(folder, one.path)
                await module.bring(one.commit)
                await module.fetch(one.commit, beside)
                await to_its_end(asyncio.to_thread(git_submodules.move, beside, to))
            finally:
                await to_its_end(asyncio.to_thread(shutil.rmtree, beside, ignore_errors=True))
        async with self._mirror.lock:
            await to_its_end(asyncio.to_thread(mirror.remove_others, modules, needed))

    async def bring(self, commit: str) -> None:
        """Have the mirror hold a commit, which need not be on a branch. Raises StepFailed if the remote has it not."""
        if await commit_named(self._git, commit):
            return
        async with self._mirror.lock:
            await self._mirror.fetch()
            if not await commit_named(self._git, commit):
                await self._mirror.fetch(f"+{commit}:refs/submodule/{commit}")

    async def _refuse_unsigned(self, commit: str) -> None:
        if self.settings.signed_by:
            await refuse_unsigned(self._git, self._mirror.folder, commit, self._beside, self.settings.signed_by)

    async def changelog(self, since: str, until: str) -> Changelog:
        """Commits after `since` up to `until`, without merges, and what else differs. It says so if `since` is not
        known."""
        return await self._mirror.mended(lambda: self._changelog(since, until))

    async def _changelog(self, since: str, until: str) -> Changelog:
        if not (is_commit(since) and is_commit(until)):
            return Changelog()
        if self._last is None or self._last[0] != (since, until):
            folder, path = self._mirror.folder, self.settings.path
            self._last = (since, until), await changelog_between(self._git, folder, since, until, path, self._message)
        return self._last[1]

    def _message(self, text: str) -> str:
        # More is read than is kept, so that no half of a secret stays at the end.
        return self._border.cut(text[: 2 * MOST_OF_MESSAGE], MOST_OF_MESSAGE)

    async def is_older(self, revision: str, than: str) -> bool:
        """Whether `revision` is an ancestor of the commit `than`, or the same. False if one of them is not known."""
        known, key = is_commit(revision) and is_commit(than), (self._mirror.fetches, revision, than)
        if self._order and self._order[0] == key:
            return self._order[1]
        common = await self._git("merge-base", revision, than, check=False) if known else ""
        is_older = bool(common) and common.strip() == revision
        self._order = key, is_older
        return is_older

    async def _last_that_matters(self, commit: str) -> str:
        """The last commit, up to `commit`, that changed the app's folder in the repository (`update.git.path`)."""
        if is_whole(self.settings.path):
            return commit
        found = await self._git("rev-list", "--max-count=1", commit, "--", self.settings.path)
        return found.strip() or commit

    async def _release(self, commit: str) -> SourceRelease:
        await self._refuse_unsigned(commit)
        dated = self._git("show", "--no-patch", "--format=%ct", f"{commit}^{{commit}}")
        version, moment = await at_once(version_of(self._git, commit), dated)
        try:
            released_at = datetime.fromtimestamp(int(moment), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise StepFailed(
                f"Commit {commit[:12]} of {await self.origin()} has no usable date: {moment.strip()[:40]}.",
                "Commit again with a date between the years 1 and 9999.",
            ) from error
        return SourceRelease(Release(version, commit), released_at)
