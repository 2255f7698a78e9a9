"""The sessions of a running HAProxy: requests and WebSockets under way (management guide, section 9.3)."""

from __future__ import annotations

import re

from orchestrator.errors import ProxyError
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.runtime import Worker

_SESSION = re.compile(r"^(?P<id>0x[0-9a-f]+): .*? be=(?P<backend>\S+) ", re.MULTILINE)
_GONE = "No such session"


async def count(worker: Worker, backend: str) -> int:
    """The number of requests and WebSockets that the backend's server `app` serves now."""
    return current_sessions(await worker.ask(f"show stat {backend} 4 -1"), backend)


def current_sessions(listing: str, backend: str) -> int:
    """The sum of `scur` in an answer of `show stat`: CSV whose heading is a comment."""
    heading, *rows = [line for line in listing.splitlines() if line] or [""]
    names = heading.lstrip("# ").split(",")
    if "scur" not in names:
        return 0
    cells = [dict(zip(names, row.split(","), strict=False)) for row in rows]
    return sum(int(row["scur"] or 0) for row in cells if row["svname"] == ServerName.APP and row["pxname"] == backend)


async def cut(worker: Worker, backend: str) -> None:
    """End the sessions of the backend's server. Raises ProxyError when HAProxy refuses.

    A worker from before a reload refuses to end the sessions of a server, and ends each session by its identifier.
    """
    if worker.current:
        await worker.tell(f"shutdown sessions server {backend}/{ServerName.APP}")
        return
    for identifier in identifiers(await worker.ask("show sess"), backend):
        answer = (await worker.ask(f"shutdown session {identifier}")).strip()
        if answer and not answer.startswith(_GONE):
            raise ProxyError(f"HAProxy's worker {worker.pid} refused to end a connection to {backend}: {answer}.")


def identifiers(listing: str, backend: str) -> list[str]:
    """The identifiers of a backend's sessions in an answer of `show sess`."""
    return [match["id"] for match in _SESSION.finditer(listing) if match["backend"] == backend]
