"""What a page sends that its script does not send ends the page, and says so; it is no defect of the panel's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from fastapi import WebSocket

from panel.web.open_pages import Page
from panel.web.page import MALFORMED, carry
from panel.web.process import AppProcess, MalformedMessage


class Process:
    """A page's process that paints nothing, and knows no message."""

    signed_out = asyncio.Event()

    async def output(self) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async def paints(self) -> bool:
        await asyncio.Event().wait()
        return True

    async def take(self, _message: str) -> None:
        raise MalformedMessage("ValueError: it is not JSON")


@pytest.mark.parametrize("message", [{"bytes": b"\x00\xff"}, {"text": None, "bytes": b""}, {"text": "{"}])
async def test_a_page_that_sends_anything_else_is_closed(message: dict[str, Any]) -> None:
    arrived = [{"type": "websocket.connect"}, {"type": "websocket.receive", **message}]
    sent: list[Any] = []

    async def receive() -> Any:
        return arrived.pop(0)

    async def send(what: Any) -> None:
        sent.append(what)

    socket = WebSocket({"type": "websocket", "headers": []}, receive, send)
    await socket.accept()
    page = Page(socket, "cs_x", "ci")

    async with asyncio.timeout(5):
        await carry(page, cast(AppProcess, Process()), "http://127.0.0.1:1")

    assert [(one["type"], one.get("code")) for one in sent][1:] == [("websocket.close", MALFORMED)]
