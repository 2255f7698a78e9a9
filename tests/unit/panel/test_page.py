"""Why a page ends is what its script is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from fastapi import WebSocket

from panel.web.open_pages import Page
from panel.web.page import ENDED, FAILED, MALFORMED, MOST_MEMORY_MB, SERVICE_RESTART, SIGN_IN_AGAIN, carry
from panel.web.process import AppProcess, MalformedMessage


class Process:
    """A page's process that paints nothing, and knows no message."""

    def __init__(
        self,
        *,
        ends: bool = False,
        was_quit: bool = False,
        is_signed_out: bool = False,
        wants_restart: bool = False,
        memory_mb: float = 60,
    ) -> None:
        self.signed_out = asyncio.Event()
        self._was_signed_out = is_signed_out
        self._ends = ends
        self.was_quit = was_quit
        self.memory_mb = memory_mb
        self.wants_restart = wants_restart

    async def output(self) -> AsyncIterator[bytes]:
        if not self._ends:
            await asyncio.Event().wait()
        yield b"last words"
        if self._was_signed_out:
            self.signed_out.set()

    async def paints(self) -> bool:
        await asyncio.Event().wait()
        return True

    async def take(self, _message: str) -> None:
        raise MalformedMessage("ValueError: it is not JSON")


@pytest.mark.parametrize("message", [{"bytes": b"\x00\xff"}, {"text": None, "bytes": b""}, {"text": "{"}])
async def test_a_page_that_sends_anything_else_is_closed(message: dict[str, Any]) -> None:
    assert await told(Process(), message) == [MALFORMED]


@pytest.mark.parametrize(
    ("process", "code"),
    [
        (Process(ends=True, was_quit=True), ENDED),
        (Process(ends=True), FAILED),
        (Process(ends=True, wants_restart=True), SERVICE_RESTART),
        (Process(ends=True, was_quit=True, is_signed_out=True), SIGN_IN_AGAIN),
        (Process(memory_mb=MOST_MEMORY_MB + 1), FAILED),
    ],
    ids=["quit", "killed", "to be started again", "signed out", "too large"],
)
async def test_a_page_whose_process_has_failed_is_opened_again_and_need_not_sign_in(
    process: Process, code: int
) -> None:
    assert await told(process) == [code]


async def told(process: Process, *messages: dict[str, Any]) -> list[int | None]:
    """The codes with which the page's connection is closed, after these messages from it."""
    arrived = [{"type": "websocket.connect"}, *({"type": "websocket.receive", **message} for message in messages)]
    sent: list[Any] = []

    async def receive() -> Any:
        if not arrived:
            await asyncio.Event().wait()
        return arrived.pop(0)

    async def send(what: Any) -> None:
        sent.append(what)

    socket = WebSocket({"type": "websocket", "headers": []}, receive, send)
    await socket.accept()
    page = Page(socket, "cs_x", "ci")

    async with asyncio.timeout(5):
        await carry(page, cast(AppProcess, process), "http://127.0.0.1:1")
    return [one["code"] for one in sent if one["type"] == "websocket.close"]
