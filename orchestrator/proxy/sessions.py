"""The sessions of a running HAProxy: requests and WebSockets under way (management guide, section 9.3)."""

from __future__ import annotations

import re

from orchestrator.errors import ProxyError
from orchestrator.proxy.runtime import Worker

_SESSION = re.compile(r"^(?P<id>0x[0-9a-f]+): .*? be=(?P<backend>\S+) .*?srv=(?P<server>\S+) ", re.MULTILINE)
GONE = "No such session"
_NOBODY = "<none>"


async def count(worker: Worker, name: str) -> int:
    """The number of requests and WebSockets that the server `backend/server` serves now."""
    return _number(await _listing(worker, name), name, "scur")


async def total(worker: Worker, name: str) -> int:
    """The number of requests that the server `backend/server` has taken since the worker's start."""
    return _number(await _listing(worker, name), name, "stot")


async def _listing(worker: Worker, name: str) -> str:
    return await worker.ask(f"show stat {name.partition('/')[0]} 4 -1")


def current_sessions(listing: str, name: str) -> int:
    """`scur` of the server `backend/server` in an answer of `show stat`."""
    return _number(listing, name, "scur")


def _number(listing: str, name: str, column: str) -> int:
    """A number of the server in an answer of `show stat`: CSV whose heading is a comment. 0 if it is not there."""
    heading, *rows = [line for line in listing.splitlines() if line] or [""]
    names = heading.lstrip("# ").split(",")
    if column not in names:
        return 0
    cells = [dict(zip(names, row.split(","), strict=False)) for row in rows]
    return sum(int(row[column] or 0) for row in cells if f"{row['pxname']}/{row['svname']}" == name)


async def cut(worker: Worker, name: str) -> None:
    """End the sessions of the server `backend/server`. Raises ProxyError when HAProxy refuses.

    A worker from before a reload refuses to end the sessions of a server, and ends each session by its identifier.
    """
    if worker.current:
        await worker.tell(f"shutdown sessions server {name}")
        return
    for identifier in identifiers(await worker.ask("show sess"), name):
        answer = (await worker.ask(f"shutdown session {identifier}")).strip()
        if answer and not answer.startswith(GONE):
            raise ProxyError(f"HAProxy's worker {worker.pid} refused to end a connection to {name}: {answer}.")


def identifiers(listing: str, name: str) -> list[str]:
    """The identifiers of the sessions of the server `backend/server` in an answer of `show sess`.

    A session that has no server yet, such as one that waits for a connection, counts as one of each server.
    """
    backend, _, server = name.partition("/")
    return [
        match["id"]
        for match in _SESSION.finditer(listing)
        if match["backend"] == backend and match["server"] in (server, _NOBODY)
    ]
