"""The kinds of sessions of a running HAProxy: requests, uploads, streams and WebSockets (management guide, 9.3)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from orchestrator.domain.in_hand import InHand
from orchestrator.errors import ProxyError
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.haproxy_config import OWN_FRONTEND
from orchestrator.proxy.runtime import Worker
from orchestrator.proxy.sessions import GONE, NOBODY

_DETAILS = re.compile(
    r"^(?P<id>0x[0-9a-f]+): .*?^\s+frontend=(?P<frontend>\S+) .*?^\s+backend=(?P<backend>\S+) .*?"
    r"^\s+server=(?P<server>\S+) .*? age=(?P<age>\S+?)\).*?"
    r"status=(?P<status>-?\d+) req\.st=MSG_(?P<request>\w+) rsp\.st=MSG_(?P<answer>\w+)",
    re.MULTILINE | re.DOTALL,
)
OK = 200
"""The first status of an answer that ends a request. A WebSocket is answered by 101."""
_AGE = re.compile(r"(\d+)([dhms])")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class SessionKind(Enum):
    """What a session is, by the states of its request and answer. The kinds are those of InHand."""

    REQUEST = auto()
    UPLOAD = auto()
    STREAM = auto()
    WEBSOCKET = auto()


@dataclass(frozen=True)
class Session:
    """One request, upload, stream or WebSocket of a server (`backend/server`). `age_s` is in whole seconds."""

    server: str
    identifier: str
    kind: SessionKind
    age_s: int

    def is_long_lived(self, older_than_s: float) -> bool:
        """Whether it is a WebSocket, or a stream that began earlier."""
        return self.kind is SessionKind.WEBSOCKET or (self.kind is SessionKind.STREAM and self.age_s > older_than_s)


async def under_way(worker: Worker) -> list[Session]:
    """What all servers serve now.

    The listing has some 2 kB for each session of the worker, of all apps: it is not for every poll.
    """
    listing = await worker.ask("show sess all")
    return await to_its_end(asyncio.to_thread(sessions_in, listing))


async def end(worker: Worker, sessions: Iterable[Session]) -> list[Session]:
    """End these sessions. Returns those that were still there. Raises ProxyError when HAProxy refuses."""
    ended = []
    for session in sessions:
        answer = (await worker.ask(f"shutdown session {session.identifier}")).strip()
        if not answer:
            ended.append(session)
        elif not answer.startswith(GONE):
            raise ProxyError(f"HAProxy refused to end a connection: {answer}.")
    return ended


def sessions_in(listing: str) -> list[Session]:
    """The sessions in an answer of `show sess all`, without our own probes: nobody loses anything when they are cut.

    One in a queue has no server yet: it counts as one of the backend's own.
    """
    return [
        Session(
            f"{match['backend']}/{_server(match['server'])}",
            match["id"],
            _kind(match["request"], match["answer"], int(match["status"])),
            _seconds(match["age"]),
        )
        for block in re.split(r"^(?=0x)", listing, flags=re.MULTILINE)
        if (match := _DETAILS.match(block)) and match["frontend"] != OWN_FRONTEND
    ]


def of_servers(sessions: Iterable[Session], names: Collection[str]) -> list[Session]:
    """Those of the servers (`backend/server`)."""
    return [one for one in sessions if one.server in names]


def _server(said: str) -> str:
    return ServerName.APP if said == NOBODY else said


def counted(sessions: Iterable[Session]) -> InHand:
    kinds = [session.kind for session in sessions]
    return InHand(*(kinds.count(kind) for kind in SessionKind))


def _kind(request: str, answer: str, status: int) -> SessionKind:
    """An answer that ends with its connection, such as one of HTTP/1.0, is a tunnel for HAProxy, too.

    What tells it from a WebSocket is the status of the answer (HAProxy 3.0, `txn->status` in stream.c).
    """
    if answer == "TUNNEL" and status < OK:
        return SessionKind.WEBSOCKET
    if answer != "RPBEFORE":
        return SessionKind.STREAM
    return SessionKind.REQUEST if request in ("DONE", "ENDING", "CLOSED") else SessionKind.UPLOAD


def _seconds(age: str) -> int:
    """Such as `1m5s`."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _AGE.findall(age))
