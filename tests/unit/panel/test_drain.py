"""When another release has the traffic, every page is sent there, whatever becomes of the others."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from fastapi import WebSocketDisconnect

from panel.web.page import SERVICE_RESTART
from panel.web.server import PanelServer


class App:
    """A page's process."""

    async def save(self) -> None:
        await asyncio.sleep(0)

    async def until_it_moves(self) -> None:
        await asyncio.sleep(0)


class Socket:
    """The connection to a browser: `ends` is how its end ends."""

    def __init__(self, ends: Exception | None = None, answers: asyncio.Event | None = None) -> None:
        self.closed: list[int] = []
        self._ends = ends
        self._answers = answers

    async def close(self, code: int) -> None:
        if self._ends:
            raise self._ends
        self.closed.append(code)
        if self._answers:
            await self._answers.wait()


@pytest.mark.parametrize(
    "first",
    [
        Socket(RuntimeError("Unexpected ASGI message 'websocket.close', after sending 'websocket.close'.")),
        Socket(WebSocketDisconnect(1006)),
        Socket(answers=asyncio.Event()),
    ],
    ids=["closed already", "gone", "a browser that does not answer"],
)
async def test_one_page_keeps_no_other_one_from_the_new_release(first: Socket) -> None:
    panel = PanelServer("http://127.0.0.1:1", cast("Any", None))
    others = [Socket(), Socket()]
    opened = [panel.pages.opened(cast("Any", socket), f"cs_{at}", "t") for at, socket in enumerate([first, *others])]
    for one in opened:
        one.__enter__().app = cast("Any", App())

    draining = asyncio.create_task(panel.drain())
    await asyncio.wait([draining], timeout=0.1)

    assert [socket.closed for socket in others] == [[SERVICE_RESTART]] * 2
    draining.cancel()
    await asyncio.wait([draining])
    assert draining.cancelled() or draining.exception() is None
