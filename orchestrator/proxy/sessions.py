"""The sessions of a running HAProxy: requests and WebSockets under way (management guide, section 9.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.errors import ProxyError
from orchestrator.proxy.haproxy_config import OWN_FRONTEND
from orchestrator.proxy.runtime import Worker

_SESSION = re.compile(
    r"^(?P<id>0x[0-9a-f]+): .*? fe=(?P<frontend>\S+) be=(?P<backend>\S+) .*?srv=(?P<server>\S+) "
    r"(?:.*? scb=\[(?P<state>\d+),)?",
    re.MULTILINE,
)
_WITHOUT_CONNECTION = frozenset("1236")
"""The states REQ, QUE, TAR and CER of a session's side to the server: it looks for a server, waits in a queue, or waits
until a connection that was refused or came too late is tried again (HAProxy 3.0, `enum sc_state` in stconn-t.h)."""
_CLOSED = "10"
"""The state CLO: the server has answered, and the client has not read all of it."""
GONE = "No such session"
NOBODY = "<none>"


async def count(worker: Worker, name: str) -> int:
    """The number of requests and WebSockets that the server `backend/server` serves now, or will serve: those that wait
    for a connection to it. Our own probes are not counted: HAProxy goes on with them after the orchestrator has given
    them up.

    0 only if one answer of HAProxy says so: a request that waits in one answer, and is served in the next, would be
    missing in both.
    """
    listing = await _listing(worker, name)
    served, may_wait = current_sessions(listing, name), may_get_waiting(listing, name)
    if served and not await _has_probes(worker):
        return served
    return in_hand(await worker.ask("show sess"), name, may_wait=may_wait) if served or may_wait else 0


async def has_any(worker: Worker, name: str) -> bool:
    """Whether the server serves or may serve something, our own probes included."""
    listing = await _listing(worker, name)
    return current_sessions(listing, name) > 0 or may_get_waiting(listing, name)


async def _has_probes(worker: Worker) -> bool:
    """Whether there are requests of our own, to any app: a listing of all sessions is not for every poll."""
    of_frontend = await worker.ask(f"show stat {OWN_FRONTEND} 1 -1")
    return _number(of_frontend, f"{OWN_FRONTEND}/FRONTEND", "scur") > 0


def in_hand(listing: str, name: str, *, may_wait: bool) -> int:
    """The number of sessions that are not our own, and that the server `backend/server` serves, in an answer of
    `show sess`. `may_wait`: with those of its backend that wait for a connection.
    """
    backend, _, server = name.partition("/")
    of_clients = [
        match
        for match in _SESSION.finditer(listing)
        if match["backend"] == backend and match["frontend"] != OWN_FRONTEND
    ]
    waits = [match for match in of_clients if match["state"] in _WITHOUT_CONNECTION]
    served = [match for match in of_clients if match["server"] == server and match["state"] != _CLOSED]
    return len([match for match in served if match not in waits]) + (len(waits) if may_wait else 0)


async def total(worker: Worker, name: str) -> int:
    """The number of requests that the server `backend/server` has taken since the worker's start."""
    return _number(await _listing(worker, name), name, "stot")


async def _listing(worker: Worker, name: str) -> str:
    """The numbers of the backend and of its servers."""
    return await worker.ask(f"show stat {name.partition('/')[0]} 6 -1")


async def _waiting(worker: Worker, name: str, listing: str) -> list[str]:
    """The identifiers of the sessions that wait for a connection to this server, our own probes included. One in
    maintenance gets none of them.

    HAProxy counts them as sessions of the backend alone.
    """
    if not may_get_waiting(listing, name):
        return []
    return waiting(await worker.ask("show sess"), name.partition("/")[0])


def may_get_waiting(listing: str, name: str) -> bool:
    """Whether sessions of the backend have no connection to a server, and this server may get them."""
    rows = {f"{row['pxname']}/{row['svname']}": row for row in _rows(listing)}
    if name not in rows or rows[name]["status"].startswith("MAINT"):
        return False
    total = rows.pop(f"{name.partition('/')[0]}/BACKEND", None)
    return total is not None and int(total["scur"]) > sum(int(row["scur"]) for row in rows.values())


def waiting(listing: str, backend: str) -> list[str]:
    """The identifiers of the backend's sessions without a connection to a server, in an answer of `show sess`."""
    return [
        match["id"]
        for match in _SESSION.finditer(listing)
        if match["backend"] == backend and match["state"] in _WITHOUT_CONNECTION
    ]


def current_sessions(listing: str, name: str) -> int:
    """`scur` of the server `backend/server` in an answer of `show stat`."""
    return _number(listing, name, "scur")


def _number(listing: str, name: str, column: str) -> int:
    """A number of the server in an answer of `show stat`. 0 if it is not there."""
    return sum(int(row[column] or 0) for row in _rows(listing) if f"{row['pxname']}/{row['svname']}" == name)


def _rows(listing: str) -> list[dict[str, str]]:
    """The rows of an answer of `show stat`: CSV whose heading is a comment. Empty if it is another answer."""
    heading, *rows = [line for line in listing.splitlines() if line] or [""]
    if not heading.startswith("# pxname,"):
        return []
    return [dict(zip(heading.lstrip("# ").split(","), row.split(","), strict=False)) for row in rows]


async def cut(worker: Worker, name: str) -> None:
    """End the sessions of the server `backend/server`. Raises ProxyError when HAProxy refuses.

    A worker from before a reload refuses to end the sessions of a server, and ends each session by its identifier.
    What waits for a connection is ended first: it would get the connection of one that is ended.
    """
    if worker.current:
        await _end(worker, name, await _waiting(worker, name, await _listing(worker, name)))
        await worker.tell(f"shutdown sessions server {name}")
        return
    await _end(worker, name, identifiers(await worker.ask("show sess"), name))


async def _end(worker: Worker, name: str, sessions: Iterable[str]) -> None:
    for identifier in sessions:
        answer = (await worker.ask(f"shutdown session {identifier}")).strip()
        if answer and not answer.startswith(GONE):
            raise ProxyError(f"HAProxy refused to end a connection to {name}: {answer}.")


def identifiers(listing: str, name: str) -> list[str]:
    """The identifiers of the sessions of the server `backend/server` in an answer of `show sess`.

    A session that has no server yet, such as one that waits for a connection, counts as one of each server.
    """
    backend, _, server = name.partition("/")
    return [
        match["id"]
        for match in _SESSION.finditer(listing)
        if match["backend"] == backend and match["server"] in (server, NOBODY)
    ]
