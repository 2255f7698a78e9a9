"""The mirror of a Git remote on this host: fetches fill it, other commands read it, and damages of it are mended."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import structlog

from border.secrets import Secrets
from border.urls import credentials_in, without_credentials
from orchestrator.clock import elapsed
from orchestrator.config.local_repository import is_relative, path_of
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.source_names import why_no_remote
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import mirror
from orchestrator.sources.git_credentials import authorization, credentials
from orchestrator.sources.git_environment import ENVIRONMENT
from orchestrator.sources.git_error import as_configured, command_of, last_lines, said_by
from orchestrator.sources.git_failure import why_git_failed
from orchestrator.sources.git_names import DEFAULT_BRANCH
from orchestrator.sources.git_process import FETCH_TIMEOUT_S, NOTHING, certificates, ended_command
from orchestrator.sources.git_refs import HEAD, GitRefs, digest, refs_in_mirror
from orchestrator.sources.git_ssh import SSH_COMMAND, why_ssh_failed
from orchestrator.sources.git_submodules import at_for_curl
from orchestrator.sources.private_address import NOT_JUDGED, Judgement
from orchestrator.sources.unsupported import refuse_missing_folder

log = structlog.get_logger()
T = TypeVar("T")

FETCH = ("fetch", "--quiet", "--prune", "--force", "--update-shallow", "--no-write-fetch-head", "--no-auto-maintenance")
CHECKOUT = ". (the checkout that compose.yaml is in)"
NO_DEFAULT_BRANCH = "find remote ref HEAD"
OTHER_FORMAT = re.compile(r"mismatched algorithms: client \w+; server (sha1|sha256)")
MOVED = re.compile(r"returned error: (30[12378])\b")
MENDINGS = 2  # a mirror may have a lock of a process that was killed, and be damaged as well


class GitMirror:
    """A Git remote, mirrored into `folder`. `.` and names of remotes refer to `checkout`.

    `lock` is held by whoever writes to the folder. `beside`: the folder of the configuration file. `refusal`: why this
    remote cannot be the app's source; it is raised whenever the remote would be asked. `is_named`: whether another
    repository names it; `judged`: what is known of its server then.
    """

    def __init__(
        self,
        settings: GitSource,
        folder: Path,
        checkout: Path,
        lock: asyncio.Lock,
        known_secrets: Secrets,
        beside: Path,
        *,
        refusal: str = "",
        is_named: bool = False,
        judged: Judgement = NOT_JUDGED,
    ) -> None:
        self.judged = judged
        self.folder = folder
        self.lock = lock
        self._settings = settings
        self._checkout = checkout
        self._border = known_secrets
        self._beside = beside
        self._refusal = refusal
        # Whoever can push chooses the address of a submodule, which was judged as it is.
        at = at_for_curl(settings.remote, judged) if is_named else ""
        redirects, pinned = ("-c", "http.followRedirects=false"), ("-c", f"http.curloptResolve={at}")
        self._judged = (*(redirects if is_named else ()), *(pinned if at else ()))
        beside_it = {path_of(settings.remote, beside): settings.remote} if is_relative(settings.remote) else {}
        self._called = {**beside_it, str(checkout): ".", str(beside): "."}
        """How what git prints calls paths of the orchestrator's container."""
        self._made_anew = 0
        self.fetches = 0  # those that succeeded: what was found out about the mirror holds until the next one
        self._fetched_at: float | None = None  # when the last of them began, as `elapsed` counts
        self._seen: GitRefs | None = None
        self._digest = ""
        """Of what the mirror's branches and tags name since then; empty if it is not known."""

    async def origin(self) -> str:
        """The remote's URL or path, without credentials; a path beside the configuration file as it is there. Raises
        StepFailed for an unknown name of a remote."""
        address = self._border.text(without_credentials(await self.address()))
        if self._settings.remote == ".":
            return CHECKOUT
        return self._settings.remote if is_relative(self._settings.remote) else address

    async def address(self) -> str:
        """The address to fetch from. Raises StepFailed for one that is an option, or runs a program."""
        remote = await self._configured_remote()
        if why := why_no_remote(remote):
            raise StepFailed(
                f"The remote '{self._settings.remote[:80]}' cannot be used: {why}.",
                "Set update.git.remote to a URL, a path, or '.' for the checkout itself.",
            )
        return remote

    async def _configured_remote(self) -> str:
        remote = self._settings.remote
        if remote == ".":
            return str(self._checkout)
        if is_relative(remote):
            return path_of(remote, self._beside)
        if re.fullmatch(r"[\w.][\w.-]*", remote):
            url = await self._run("-C", str(self._checkout), "remote", "get-url", remote, check=False)
            if not url:
                raise StepFailed(
                    f"{CHECKOUT} has no remote '{remote}'.",
                    "Set update.git.remote to a URL, a path, or '.' for the checkout itself.",
                )
            self._border.know(credentials_in(url))
            return url.strip()
        return remote

    def was_fetched_within(self, seconds: float) -> bool:
        return self._fetched_at is not None and elapsed() - self._fetched_at < seconds

    async def bring_up_to_date(self, *, default_branch: bool, afresh: bool) -> None:
        """Fetch all branches and tags, with `default_branch` the remote's HEAD as well: unless its server says that
        they are as they were after the last fetch. `afresh`: without asking for that. The lock must be held."""
        wanted, more = ((HEAD,), (f"+HEAD:{DEFAULT_BRANCH}",)) if default_branch else ((), ())
        if not afresh and await self._is_up_to_date(wanted):
            return
        await self.fetch(*more)
        if self._refs_of(await self.address()).may_ask:
            listed = await self.git("for-each-ref", "--format=%(refname) %(objectname)")
            self._digest = await to_its_end(asyncio.to_thread(lambda: digest(refs_in_mirror(listed), wanted)))

    async def _is_up_to_date(self, wanted: tuple[str, ...]) -> bool:
        is_whole = (self.folder / "HEAD").exists() and not mirror.missing_history(self.folder)
        remote = await self.address()
        if not (self._digest and is_whole and self._refs_of(remote).may_ask):
            return False
        header = authorization(self._settings, self._beside, remote, self._border)
        found = await self._refs_of(remote).ask({"authorization": header} if header else {})
        return found is not None and await to_its_end(asyncio.to_thread(digest, found, wanted)) == self._digest

    def _refs_of(self, remote: str) -> GitRefs:
        if self._seen is None or self._seen.remote != remote:
            self._seen = GitRefs(remote)
        return self._seen

    async def fetch(self, *more: str) -> None:
        """Fetch all branches and tags, and `more`. A default branch may never have been pushed, and need not exist."""
        if self._refusal:
            raise StepFailed(f"This source cannot be used: {self._refusal}.", "Correct the configuration file.")
        remote = await self.address()
        # As it is configured, so that what is said of it can be found there.
        named = self._settings.remote if is_relative(self._settings.remote) else remote
        refuse_missing_folder(named, self._beside)
        if not (self.folder / "HEAD").exists():
            await self._make("sha1")
        began, self._digest = elapsed(), ""
        with mirror.no_lock_left(self.folder):
            try:
                await self._fetch_from(remote, *more)
            except StepFailed as error:
                other = OTHER_FORMAT.search(said_by(error))
                if not other:
                    raise
                await self._make(other[1])
                await self._fetch_from(remote, *more)
        self._fetched_at = began
        self.fetches += 1

    async def _make(self, object_format: str) -> None:
        """An empty mirror. A repository whose objects have names of SHA-256 is fetched into one of the same kind only
        (git-init(1), --object-format)."""
        init = ("init", "--quiet", "--bare", f"--object-format={object_format}")
        await mirror.make(self.folder, lambda folder: self._run(*init, str(folder)))

    async def _fetch_from(self, remote: str, *more: str) -> None:
        branches, tags = "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"
        try:
            fetch = (*FETCH, *mirror.missing_history(self.folder), "--", remote, branches, tags, *more)
            with self._credentials(remote) as let_in:
                await self.git(*self._judged, *fetch, env=let_in)
        except StepFailed as error:
            if (let_out := MOVED.search(said_by(error))) and not self._judged:
                raise StepFailed(
                    f"{await self.origin()} has moved: its server leads to another address (status {let_out[1]}), "
                    "where the token is not sent.",
                    "Set update.git.remote to the repository's new address.",
                    log=error.log,
                    exit_code=error.exit_code,
                ) from error
            if NO_DEFAULT_BRANCH not in said_by(error):
                raise
            raise StepFailed(
                f"{await self.origin()} has no commit on its default branch.",
                "Set update.git.branch to a branch that it has, or push to its default branch.",
            ) from error
        if why := self._border.text(await mirror.why_not_packed(self.folder)):
            log.warning("the mirror of a repository is not packed", mirror=str(self.folder), cause=why)

    async def mended(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives. It is asked again when it failed because the mirror was damaged. Raises StepFailed."""
        for _ in range(MENDINGS):
            before = self._made_anew
            try:
                return await ask()
            except StepFailed as error:
                async with self.lock:
                    if self._made_anew == before and not await self._mend(error):
                        raise
        return await ask()

    async def _mend(self, error: StepFailed) -> bool:
        """Mend the mirror, if it is damaged. Returns whether it was. Raises StepFailed when it cannot be made anew."""
        if mirror.remove_stale_locks(self.folder):
            return True
        # Without an exit code, nobody has looked for the mirror yet.
        is_there = os.path.lexists(self.folder) or error.exit_code is not None
        if not is_there or not await self._is_damaged(error):
            return False
        log.warning("the mirror of a repository is damaged, and is made anew", mirror=str(self.folder))
        await to_its_end(asyncio.to_thread(mirror.remove, self.folder))
        await self.fetch()
        self._made_anew += 1
        return True

    async def _is_damaged(self, error: StepFailed) -> bool:
        """Whether the mirror lacks objects or cannot be read. Looked for only if the remote is not the cause."""
        if error.exit_code is None:
            # Git did what it was asked: it is enough that what the branches and tags name can be read.
            return not await self._is_well("--git-dir", str(self.folder), "for-each-ref", "--format=%(objecttype)")
        remote = await self.address()
        with self._credentials(remote) as let_in:
            if not await self._is_well(*self._judged, "ls-remote", "--quiet", "--", remote, "HEAD", env=let_in):
                return False
        return not await self._is_well("--git-dir", str(self.folder), "fsck", "--no-dangling", "--no-progress")

    def _credentials(self, remote: str) -> AbstractContextManager[Mapping[str, str]]:
        return credentials(self._settings, self._beside, remote, self._border)

    async def _is_well(self, *arguments: str, env: Mapping[str, str] = NOTHING) -> bool:
        try:
            every = {**ENVIRONMENT, **certificates(os.environ), **env}
            ended = await child_process.run("git", *arguments, env=every, timeout_s=FETCH_TIMEOUT_S)
        except child_process.OutputTooLong:
            return "fsck" not in arguments
        except OSError:  # it did not end in time, which is a TimeoutError, or could not be started
            return True  # not known to be damaged
        # A ref that cannot be read is a warning, and is left out.
        complains = "for-each-ref" in arguments and bool(ended.err.strip())
        return ended.exit_code == 0 and not complains

    async def git(
        self,
        *arguments: str,
        check: bool = True,
        env: Mapping[str, str] = NOTHING,
        on_out: Callable[[bytes], None] | None = None,
    ) -> str:
        """What git prints. With `on_out`, that gets it as it comes, and nothing is returned."""
        return await self._run("--git-dir", str(self.folder), *arguments, check=check, env=env, on_out=on_out)

    async def _run(
        self,
        *arguments: str,
        check: bool = True,
        env: Mapping[str, str] = NOTHING,
        on_out: Callable[[bytes], None] | None = None,
    ) -> str:
        ended = await ended_command(command_of(arguments), "git", *arguments, env=env, on_out=on_out)
        if ended.exit_code == 0:
            return ended.out.decode(errors="replace")
        if not check:
            return ""
        said = self._border.text(as_configured(last_lines(ended.err), self._called))
        cause, remedy = await self._why(said, env)
        raise StepFailed(
            f"The repository {await self.origin()} could not be read: {cause}.",
            remedy,
            log=tuple(said.splitlines()),
            exit_code=ended.exit_code,
        )

    async def _why(self, said: str, env: Mapping[str, str]) -> tuple[str, str]:
        """Why git failed, and what to do."""
        remote = await self.address()
        by_ssh = why_ssh_failed(said, remote, self._settings) if SSH_COMMAND in env else None
        return by_ssh or why_git_failed(said, self._settings, remote)
