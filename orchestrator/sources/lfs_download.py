"""Files of Git LFS by https, from a server that may name any other one for each file (git-lfs, docs/api/batch.md).

Not by the client git-lfs: it asks whatever the server names, also what only this host reaches. Here a named address is
judged as a redirect is, and asked where it was when it was judged.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.git_lfs import Pointer, content_of
from orchestrator.sources.private_address import NOT_JUDGED, Judgement
from orchestrator.sources.redirects import is_same_server, shown
from orchestrator.sources.web import Page, Web

KIND = "application/vnd.git-lfs+json"
AT_ONCE = 8
OBJECTS_A_REQUEST = 100
MOST_OF_ANSWER = 4 * 2**20
"""Bytes; some hundred for each file."""
MOST_HEADERS = 20
WITHIN_S = 3600.0
"""For all files of a commit: meanwhile, nothing else is fetched into the mirror."""
_NAME, _VALUE = re.compile(r"[a-z0-9-]{1,100}"), re.compile(r"[\x20-\x7e]{0,8000}")
_OF_THE_REQUEST = ("host", "content-length", "transfer-encoding", "connection", "range", "accept-encoding")
"""What a server cannot set: it would make another request of it."""


@dataclass(frozen=True)
class LfsServer:
    """`url`: of its API. `authorization`: the header for it; empty for anybody. `led_from`: the repository that has
    it, or names it; `judged`: what is known of the server of that."""

    url: str
    authorization: str = field(default="", repr=False)
    led_from: str = ""
    judged: Judgement = NOT_JUDGED


@dataclass(frozen=True)
class _Download:
    pointer: Pointer
    url: str
    headers: Mapping[str, str]
    named_by: Page


def server_of(remote: str) -> str:
    """The server of LFS of a repository (git-lfs, docs/api/server-discovery.md)."""
    address = remote.rstrip("/")
    return f"{address}{'' if address.endswith('.git') else '.git'}/info/lfs"


async def download(web: Web, server: LfsServer, mirror: Path, pointers: Sequence[Pointer]) -> None:
    """Write what the mirror lacks of these files; nothing of it, if that fails. What the server has not is left out.
    Raises StepFailed."""
    lacking = {one.oid: one for one in pointers if not content_of(mirror, one).is_file()}
    wanted = list(lacking.values())
    try:
        async with asyncio.timeout(WITHIN_S):
            for at in range(0, len(wanted), OBJECTS_A_REQUEST):
                await _write(web, mirror, await _named(web, server, wanted[at : at + OBJECTS_A_REQUEST]))
    except BaseException as error:
        await to_its_end(asyncio.to_thread(_forget, mirror, wanted))
        if not isinstance(error, TimeoutError):
            raise
        raise StepFailed(
            f"The files in Git LFS were not fetched from {shown(server.url)} within {WITHIN_S:g} s.",
            "Check how fast this host reaches the server, and how large the files are.",
        ) from error


def _forget(mirror: Path, wanted: Sequence[Pointer]) -> None:
    for one in wanted:
        content_of(mirror, one).unlink(missing_ok=True)


async def _named(web: Web, server: LfsServer, wanted: Sequence[Pointer]) -> list[_Download]:
    objects = [{"oid": one.oid, "size": one.size} for one in wanted]
    body = {"operation": "download", "transfers": ["basic"], "hash_algo": "sha256", "objects": objects}
    page = await web.page(
        f"{server.url.rstrip('/')}/objects/batch",
        KIND,
        authorization=server.authorization,
        most=MOST_OF_ANSWER,
        led_from=server.led_from,
        judged=server.judged,
        post=(json.dumps(body).encode(), KIND),
    )
    try:
        listed = json.loads(page.content)["objects"]
        actions = {one["oid"]: one["actions"]["download"] for one in listed if "actions" in one}
        return [_download(server, one, actions[one.oid], page) for one in wanted if one.oid in actions]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise StepFailed(f"{shown(page.url)} is not an answer of a server of Git LFS.") from error


def _download(server: LfsServer, pointer: Pointer, action: Any, page: Page) -> _Download:  # Any: JSON
    url, headers = urljoin(page.url, action["href"]), action.get("header") or {}
    headers = {name.lower(): value for name, value in headers.items()}
    if len(headers) > MOST_HEADERS or not all(map(_may_be_sent, headers.items())):
        raise ValueError
    if server.authorization and is_same_server(url, server.url):
        headers.setdefault("authorization", server.authorization)
    return _Download(pointer, url, headers, page)


def _may_be_sent(header: tuple[str, Any]) -> bool:  # Any: JSON
    name, value = header
    sendable = _NAME.fullmatch(name) and isinstance(value, str) and _VALUE.fullmatch(value)
    return bool(sendable) and name not in _OF_THE_REQUEST


async def _write(web: Web, mirror: Path, named: Sequence[_Download]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def write(one: _Download) -> None:
        to = content_of(mirror, one.pointer)
        unfinished = to.with_name(f"{to.name}.part")
        async with places:
            try:
                to.parent.mkdir(parents=True, exist_ok=True)
                await web.download(
                    one.url,
                    unfinished,
                    one.pointer.oid,
                    led_from=one.named_by.url,
                    judged=one.named_by.judged,
                    most=one.pointer.size,
                    headers=one.headers,
                )
                os.replace(unfinished, to)
            except OSError as error:
                with suppress(OSError):  # what takes no file removes none
                    unfinished.unlink(missing_ok=True)
                raise StepFailed(
                    f"A file in Git LFS cannot be written into the mirror: {error.strerror}.",
                    "Free disk space: 'changeover doctor' shows its use.",
                ) from error

    try:
        async with asyncio.TaskGroup() as group:
            for one in named:
                group.create_task(write(one))
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
