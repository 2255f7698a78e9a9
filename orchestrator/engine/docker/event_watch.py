"""Docker's event stream as values (Docker Engine API 1.45, GET /events)."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import docker

from orchestrator.engine.base import LABEL_APP, LABEL_NAME, LABEL_ROLE, LABEL_STACK, OPENED, ContainerEvent
from orchestrator.errors import EngineError

CODE = re.compile(r"\d{1,10}", re.ASCII)
MOST_WAITING = 10_000
"""So many events wait for a reader that is slow. Then the watch ends: whoever opens it again looks at everything."""


def _client() -> Any:  # Any: docker-py's client, as far as it has no stubs
    # No time limit: there may be no event for hours. The stub does not have None.
    return docker.from_env(timeout=None)  # type: ignore[arg-type]


async def watch(stack: str, connect: Callable[[], Any] = _client) -> AsyncIterator[ContainerEvent]:
    """OPENED, then the events of the stack's containers. Raises EngineError when the stream cannot be opened or ends.

    The SDK reads the stream in its own thread, because it would block a thread of the shared pool without end. Closing
    the iterator closes the stream, which ends the thread.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[ContainerEvent | Exception] = asyncio.Queue(MOST_WAITING + 1)
    opened: asyncio.Future[Any] = loop.create_future()  # Any: docker-py's CancellableStream has no stub

    def tell(whom: Callable[..., None], *what: object) -> None:
        # The loop has closed the stream before it ended; the last events are dropped.
        if not loop.is_closed():
            loop.call_soon_threadsafe(whom, *what)

    def read() -> None:
        try:
            stream = connect().events(decode=True, filters={"type": "container", "label": f"{LABEL_STACK}={stack}"})
            tell(_opened, opened, stream)
            for event in stream:
                tell(arrive, arrived, _event(event))
            tell(_ended, opened, arrived, EngineError("Docker closed its event stream."))
        except Exception as error:  # noqa: BLE001 (the reader gets each: a thread that dies is seen by nobody)
            tell(_ended, opened, arrived, error)

    thread = threading.Thread(target=read, name="docker-events", daemon=True)
    thread.start()
    stream = await opened
    try:
        yield OPENED
        while True:
            event = await arrived.get()
            if isinstance(event, Exception):
                raise EngineError(f"Docker's event stream ended: {event}.") from event
            yield event
    finally:
        stream.close()


def _opened(opened: asyncio.Future[Any], stream: Any) -> None:
    if opened.cancelled():
        stream.close()
    else:
        opened.set_result(stream)


def arrive(arrived: asyncio.Queue[ContainerEvent | Exception], event: ContainerEvent) -> None:
    """Keep an event for the reader. If too many wait, they are dropped, and the reader is told that they are lost."""
    if arrived.qsize() < MOST_WAITING:
        arrived.put_nowait(event)
    elif not arrived.full():
        arrived.put_nowait(EngineError(f"More than {MOST_WAITING} events of the engine were waiting."))


def _ended(opened: asyncio.Future[Any], arrived: asyncio.Queue[ContainerEvent | Exception], error: Exception) -> None:
    if opened.done():
        if arrived.full():
            return  # the reader finds an error already
        arrived.put_nowait(error)
    else:
        opened.set_exception(EngineError(f"Docker's event stream cannot be opened: {error}."))


def _event(event: dict[str, Any]) -> ContainerEvent:  # Any: Docker's JSON
    attributes = event.get("Actor", {}).get("Attributes", {})
    code = str(attributes.get("exitCode", ""))
    return ContainerEvent(
        action=str(event.get("Action", "")).partition(":")[0],
        app=attributes.get(LABEL_APP, ""),
        role=attributes.get(LABEL_ROLE, ""),
        container=attributes.get(LABEL_NAME) or attributes.get("name", ""),
        exit_code=int(code) if CODE.fullmatch(code) else None,
    )
