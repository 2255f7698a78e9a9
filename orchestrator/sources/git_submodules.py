"""Submodules of a commit: where they are fetched from, and where they are written.

Whoever can push chooses their addresses. So they are on a server, never a path of this host; a server on the internet
does not have us ask what only this host reaches; and credentials go to the server of the app's own repository alone.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from border.plain import plain
from border.urls import without_credentials
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.source_names import is_ssh, ssh_server, why_no_remote
from orchestrator.errors import StepFailed
from orchestrator.files.beneath import LeadsOutside, parts_of
from orchestrator.sources.private_address import NOT_JUDGED, Judgement, has_proxy, is_private, judged

Git = Callable[..., Awaitable[str]]

MOST_DEEP, MOST_OF_ONE = 5, 50
"""So deep may submodules have submodules, and so many may one repository have."""
MOST_IN_ALL = 200
"""Of a repository with all that are nested in it: one that has itself fifty times, five deep, fills any disk."""
UNFINISHED = ".submodule"
"""The end of the name of the folder that a submodule is written to, before it is moved into the tree."""
GITLINK = "160000"
_ON_A_SERVER = re.compile(r"(?:https?|git)://[^/]", re.IGNORECASE)
_OF_CURL = ("http", "https")
_CORRECT = "Correct its url in .gitmodules, or set update.git.submodules: false and fetch it in the Dockerfile."


@dataclass(frozen=True)
class Submodule:
    """A submodule of a commit: the folder that it is written to, its address as .gitmodules has it, and its commit."""

    path: str
    url: str
    commit: str


async def submodules_of(git: Git, commit: str, paths: Sequence[str]) -> list[Submodule]:
    """The submodules that a commit has at `paths`. Raises StepFailed for one without an address."""
    listing = await git("ls-tree", "-r", "-z", commit, "--", *paths)
    entries = [line.partition("\t") for line in listing.split("\0") if line.startswith(GITLINK)]
    if len(entries) > MOST_OF_ONE:
        raise StepFailed(f"Commit {commit[:12]} has {len(entries)} submodules; at most {MOST_OF_ONE} are fetched.")
    urls = await _addresses(git, commit) if entries else {}
    found = []
    for about, _, path in entries:
        if path not in urls:
            raise StepFailed(f"The submodule {plain(path)[:200]} has no url in .gitmodules.", _CORRECT)
        found.append(Submodule(path, urls[path], about.split()[2]))
    return found


async def _addresses(git: Git, commit: str) -> dict[str, str]:
    """The url of each path in .gitmodules."""
    listed = await git("config", "--blob", f"{commit}:.gitmodules", "--list", "-z", check=False)
    values = dict(entry.split("\n", 1) for entry in listed.split("\0") if "\n" in entry)
    names = [key.removesuffix(".path") for key in values if key.startswith("submodule.") and key.endswith(".path")]
    return {values[f"{name}.path"]: values[f"{name}.url"] for name in names if f"{name}.url" in values}


@dataclass(frozen=True)
class NamedServer:
    """What a repository names. `settings`: with them it is fetched. `judged`: what is known of its server."""

    settings: GitSource
    judged: Judgement = NOT_JUDGED


async def of_server(settings: GitSource, parent: str, url: str, known: Judgement = NOT_JUDGED) -> NamedServer:
    """How something that the repository `parent` names is fetched: with its credentials, if it is on the same server.
    `known`: of the parent's server, if that was named and judged itself. Raises StepFailed for an address that must not
    be asked."""
    address = absolute(parent, url)
    why, found = why_no_remote(address), known
    if not why and not is_ssh(address) and not _ON_A_SERVER.match(address):
        why = "it is no address of a server"
    why = why or _why_no_server(address)
    same = not why and server_of(address) == server_of(parent)
    if not why and not same:
        # By its name, the parent's server may be wherever whoever has the name says now.
        is_public = known.is_public or not await is_private(*_host_and_port(parent))
        why, found = await _judged(address) if is_public else ("", NOT_JUDGED)
    if why:
        shown = plain(without_credentials(address))[:200]
        raise StepFailed(f"{shown} is not fetched, which .gitmodules or .lfsconfig names: {why}.", _CORRECT)
    changed: dict[str, object] = {"remote": address, "branch": None, "tags": None, "path": ".", "signed_by": None}
    if not same:
        changed |= {"token_file": None, "key_file": None}
    return NamedServer(settings.model_copy(update=changed), found)


async def _judged(address: str) -> tuple[str, Judgement]:
    """Why a server on the internet must not have us ask this one, and what was found of this one."""
    (scheme, host, _), (_, port) = server_of(address), _host_and_port(address)
    why, found = await judged(host, port, by_proxy=scheme in _OF_CURL and has_proxy(address))
    if why:
        return f"it {why}", found
    if scheme == "git" and found.addresses != (host,):
        return "git:// cannot be asked at the address that was looked at, as https:// can", found
    return "", found


def at_for_curl(address: str, found: Judgement) -> str:
    """Where a server is, for curl (CURLOPT_RESOLVE(3)), which git has; empty: wherever it is when it is asked."""
    (scheme, host, _), (_, port) = server_of(address), _host_and_port(address)
    is_named = scheme in _OF_CURL and found.addresses not in ((), (host,))
    return f"{host}:{port}:{','.join(found.addresses)}" if is_named else ""


def _why_no_server(address: str) -> str:
    try:
        _, host, port = server_of(address)
        is_one = bool(host) and int(port or 0) < 2**16
    except ValueError:
        is_one = False
    return "" if is_one else "it is no address of a server"


def count(so_far: list[Submodule], found: Sequence[Submodule], origin: str) -> None:
    """Add what was found to all submodules of a tree. Raises StepFailed for too many."""
    so_far += found
    if len(so_far) > MOST_IN_ALL:
        raise StepFailed(f"{origin} has too many submodules in each other: at most {MOST_IN_ALL} are fetched in all.")


def move(written: Path, to: Path) -> None:
    """Put a submodule that was written into its place in the tree, which `folder_of` has given."""
    if to.exists():
        shutil.rmtree(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    written.rename(to)


def absolute(parent: str, url: str) -> str:
    """The address that a relative one (`./…`, `../…`) means beside that of its repository (gitmodules(5))."""
    if not url.startswith(("./", "../")):
        return url
    base, between = parent.rstrip("/"), "/"
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            between = "/" if "/" in base else ":"
            base = base.rpartition(between)[0]
        url = url.partition("/")[2]
    return f"{base}{between}{url}".rstrip("/")


def server_of(address: str) -> tuple[str, str, str]:
    """What two addresses share that lead to the same server in the same way; empty texts for a path."""
    if is_ssh(address):
        host, port = ssh_server(address)
        return "ssh", host.lower(), port or "22"
    parts = urlsplit(address)
    usual = {"https": "443", "http": "80"}.get(parts.scheme, "")
    return parts.scheme, parts.hostname or "", str(parts.port or usual)


def _host_and_port(address: str) -> tuple[str, int]:
    _, host, port = server_of(address)
    return host, int(port or 0)


def folder_of(tree: Path, path: str) -> Path:
    """Where a submodule is written in a tree that was unpacked. Raises StepFailed for a path that leads elsewhere: a
    tree can be made that has a link and a folder of the same name."""
    try:
        parts = parts_of(path)
    except LeadsOutside as error:
        raise StepFailed(f"The submodule '{plain(path)[:200]}' is not in the repository.") from error
    folder = tree
    for part in parts:
        folder /= part
        if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
            raise StepFailed(f"The submodule '{plain(path)[:200]}' is in the place of a file or link.")
    return folder
