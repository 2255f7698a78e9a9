"""The requests that HAProxy has answered, a line each, from a ring in its memory (`show events`).

The counters (statistics.py) are exact; these lines give what they do not have: how long each request took, and which
ones were our own. Above THIN_ABOVE requests a second they are a sample of at most that many a second: a line costs 4 to
7 us of a processor here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple, Protocol

from orchestrator.clock import elapsed
from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends
from orchestrator.proxy.runtime import CommandSocket, uptime

RING = "requests"
THIN_ABOVE = 2000
SECTION = f"""\
ring {RING}
    format raw
    maxlen 256
    size 1048576
"""
"""At the most, so many bytes wait until they are read: 5 s of THIN_ABOVE requests a second have 400 kB."""
_LOG = f"    log ring@{RING} format raw local0 info"
PUBLIC = f"""\
{_LOG}
    log-format "p %b %ST %Tw %Tc %Tr"
    # One in as many as there are thousands a second.
    http-request set-var(txn.thousands) fe_req_rate(public),div({THIN_ABOVE // 2})
    http-request set-log-level silent if {{ rand,mod(txn.thousands) gt 0 }}"""
OWN = f"""\
{_LOG}
    log-format "i %b %ST %ts %rc\""""

STOPPED = "Proxy public stopped"
"""The worker takes no more connections, and another one does. It does not end while its ring is read."""
MOST_LINE = 4096
_BY_SERVER, _BEFORE_ANSWER = ("S", "s", "P"), ("C", "H")
"""Why and when a session ended, in the first two letters of `%ts` (HAProxy 3.0 configuration manual, section 8.5)."""


class Answered(NamedTuple):
    """A request that the proxy has answered, of a client or, if `own`, of the orchestrator.

    `ms`: from the end of the request's headers to the beginning of the answer, with what it waited for in a pause and
    in a queue; None if the app did not begin to answer. `status`: 0 if the client left before. Of our own, whether the
    connection or the answer `failed`, and how often it was tried again.
    """

    app: str
    colour: Colour
    own: bool
    status: int
    ms: int | None
    failed: bool = False
    retries: int = 0


class RequestLog(Protocol):
    """Each request that the proxy has answered."""

    def follow(self) -> AsyncGenerator[list[Answered], None]:
        """Those since now, several at a time; of a worker that has taken over since the last call, all.

        Ends with the worker that writes them. Raises ProxyError.
        """


class RingLog:
    """The ring of the worker that takes new connections."""

    def __init__(self, folder: Path, numbers: Callable[[], Mapping[str, int]]) -> None:
        """`numbers` gives app -> the number of its backends."""
        self._socket = folder / "admin.sock"
        self._numbers = numbers
        self._worker = CommandSocket(self._socket)
        self._began: float | None = None
        """When the last call began to follow a worker."""

    async def follow(self) -> AsyncGenerator[list[Answered], None]:
        runs_for_s = uptime(await self._worker.ask("show info"))
        is_new = self._began is not None and runs_for_s < elapsed() - self._began
        options, self._began = "-w" if is_new else "-wn", elapsed()
        try:
            async with aclosing(self._pieces(f"show events {RING} {options}\n".encode())) as pieces:
                rest = b""
                async for piece in pieces:
                    *lines, rest = (rest + piece).split(b"\n")
                    rest = rest[-MOST_LINE:]
                    text = [line.decode(errors="replace") for line in lines]
                    if found := self._answered(text):
                        yield found
                    if any(line.startswith(STOPPED) for line in text):
                        return
            raise ProxyError("The proxy has ended, or its worker has no log of requests.")
        except OSError as error:
            raise ProxyError(f"The proxy's requests cannot be followed: {error.strerror or error}.") from error

    async def _pieces(self, command: bytes) -> AsyncGenerator[bytes, None]:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(command)
            await writer.drain()
            while piece := await reader.read(65536):
                yield piece
        finally:
            writer.close()

    def _answered(self, lines: list[str]) -> list[Answered]:
        owners = {number: app for app, number in self._numbers().items()}
        return [one for line in lines if (one := answered(line, owners))]


def answered(line: str, owners: Mapping[int, str]) -> Answered | None:
    """A line of the ring; None for one that is about no app's colour. `owners`: number of backends -> app."""
    match line.split():
        case ["p", name, status, wait, connect, response]:
            times = (wait, connect, response)
            ms = None if any(one.startswith("-") for one in times) else sum(int(one) for one in times)
            failed, tries = False, "0"
        case ["i", name, status, end, tries]:
            ms, failed = None, end[:1] in _BY_SERVER and end[1:2] in _BEFORE_ANSWER
        case _:
            return None
    number, colour = backends.number_of(name), backends.colour_of(name)
    if number is None or number not in owners or colour is None:
        return None
    retries = int(tries.lstrip("+"))
    return Answered(owners[number], colour, line[0] == "i", max(0, int(status)), ms, failed, retries)
