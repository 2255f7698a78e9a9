"""GET over a UNIX socket of this machine, for requests that are made all the time: probes of each app.

httpx would do the same in three to six times the processor time (client, pool, transport, stream), which was most of
what the orchestrator used at rest with many apps. The protocol is h11's here as there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import h11
import httpx

from orchestrator.host.bounded_answer import EVERY, MOST_BYTES, bounded

MOST_OF_HEAD = 100 * 1024
"""Bytes of status and headers. As httpx."""
CHUNK = 64 * 1024
_EVERY = {**EVERY, "connection": "close"}


async def local_get(socket: Path, path: str, headers: Mapping[str, str], within_s: float) -> httpx.Response:
    """Send GET `path` on a connection of its own: status, headers and the first MOST_BYTES of the body, all within
    `within_s` seconds. Of a compressed body nothing is read.

    `headers`: `host` must be among them. Raises httpx.HTTPError, a ReadTimeout when the answer is not complete in time.
    """
    request, sent = _request(path, tuple(headers.items()))
    try:
        async with asyncio.timeout(within_s):
            return await _exchange(socket, request, sent)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"the answer was not complete within {within_s:g} s", request=request) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    except OSError as error:
        raise httpx.ReadError(error.strerror or str(error), request=request) from error


@lru_cache(maxsize=1024)
def _request(path: str, headers: tuple[tuple[str, str], ...]) -> tuple[httpx.Request, bytes]:
    """A request, and what is sent of it: the same for each probe of an app. Raises httpx.HTTPError, as for a header
    that would be two."""
    request = httpx.Request("GET", f"http://changeover.internal{path}", headers={**_EVERY, **dict(headers)})
    own = h11.Connection(h11.CLIENT)
    try:
        head = own.send(h11.Request(method="GET", target=request.url.raw_path, headers=list(request.headers.raw)))
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error), request=request) from error
    return request, head or b""


async def _exchange(socket: Path, request: httpx.Request, sent: bytes) -> httpx.Response:
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise httpx.ConnectError(error.strerror or str(error), request=request) from error
    try:
        writer.write(sent)
        return await _answer(reader, request)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, request: httpx.Request) -> httpx.Response:
    connection = _that_has_sent(request)
    head, body, before_head = None, bytearray(), 0
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            received = await reader.read(CHUNK)
            if head is None:
                before_head = _more_of_head(received, before_head)
            connection.receive_data(received)
        elif isinstance(event, h11.Response):
            head = event
            if _is_compressed(head):
                break
        elif isinstance(event, h11.Data):
            body += event.data[: MOST_BYTES - len(body)]
            if len(body) >= MOST_BYTES:
                break
        elif isinstance(event, h11.EndOfMessage):
            break
    assert head is not None  # h11 gives it before its end
    return bounded(head.status_code, head.headers, body, request)


def _more_of_head(received: bytes, so_far: int) -> int:
    """How many bytes of the head there are now, and of interim answers before it, of which there may be any number."""
    if not received:
        raise h11.RemoteProtocolError("it closed the connection without an answer")
    if so_far > MOST_OF_HEAD:
        raise h11.RemoteProtocolError("its status and headers are too long")
    return so_far + len(received)


def _that_has_sent(request: httpx.Request) -> h11.Connection:
    """The state of a connection on which a GET without a body was sent."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_OF_HEAD)
    connection.send(
        h11.Request(method="GET", target="/", headers=[("host", request.url.host), ("connection", "close")])
    )
    connection.send(h11.EndOfMessage())
    return connection


def _is_compressed(head: h11.Response) -> bool:
    return any(name == b"content-encoding" and value.lower() != b"identity" for name, value in head.headers)
