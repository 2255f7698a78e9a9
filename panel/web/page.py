"""The connection of one page: keys from it, its picture to it, until one of them ends or its session is over."""

from __future__ import annotations

import asyncio
import os

from fastapi import WebSocketDisconnect

from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.web.open_pages import Page
from panel.web.process import AppProcess, MalformedMessage

SIGN_IN_AGAIN, ENDED, FAILED, TOO_MANY_PAGES = 4401, 4410, 4411, 4429
SERVICE_RESTART, TRY_LATER, MALFORMED = 1012, 1013, 1003
"""Codes with which a connection is closed; persistent-socket.js has the same ones."""
CHECKED_EVERY_S = 15.0
"""How often the orchestrator is asked whether the session goes on, and told that it is used."""
PAINTS_EVERY_S = 15.0
"""How often a process is asked whether it still paints."""
WEIGHED_EVERY_S = 5.0
MOST_MEMORY_MB = float(os.environ.get("PANEL_MAX_MEMORY_OF_PAGE_MB", "300"))
"""With what a page's process shares with the others. At its start it has some 60 MB."""
SEND_DEADLINE_S = 60.0
"""A page that does not take its picture for so long is closed."""


async def carry(page: Page, app: AppProcess, url: str) -> None:
    """Pass input from the page to the process and output back, until one of them ends or the session is over."""
    tasks = [
        asyncio.create_task(work)
        for work in (
            _to_page(page, app),
            _to_app(page, app),
            _until_set(page, app.signed_out),
            _until_set(page, page.signed_out),
            _check_session(page, url),
            _until_stuck(page, app),
            _until_too_large(page, app),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        # A session ends when its page is closed, possibly while data is sent to it.
        expected = (asyncio.CancelledError, WebSocketDisconnect, RuntimeError, TimeoutError)
        if isinstance(result, BaseException) and not isinstance(result, expected):
            raise result


async def _to_page(page: Page, app: AppProcess) -> None:
    async for data in app.output():
        async with asyncio.timeout(SEND_DEADLINE_S):
            await (page.socket.send_text(data) if isinstance(data, str) else page.socket.send_bytes(data))
    await page.socket.close(SIGN_IN_AGAIN if app.signed_out.is_set() else _code_of_end(app))


def _code_of_end(app: AppProcess) -> int:
    if app.wants_restart:
        return SERVICE_RESTART  # the page connects again, to another process
    return ENDED if app.was_quit else FAILED


async def _to_app(page: Page, app: AppProcess) -> None:
    while True:
        try:
            message = await page.socket.receive_text()
            answer = await app.take(message)
        except (MalformedMessage, KeyError):  # KeyError: Starlette's, of a message that is not text
            await page.socket.close(MALFORMED)
            return
        if answer:
            await page.socket.send_text(answer)
        elif message.startswith('["stdin"'):
            page.was_used = True


async def _until_set(page: Page, event: asyncio.Event) -> None:
    await event.wait()
    await page.socket.close(SIGN_IN_AGAIN)


async def _until_stuck(page: Page, app: AppProcess) -> None:
    """End the page when its process does not paint any more. The page tries again, with another process."""
    while await app.paints():  # noqa: ASYNC110 (a process that is stuck tells no event)
        await asyncio.sleep(PAINTS_EVERY_S)
    await page.socket.close(TRY_LATER)


async def _until_too_large(page: Page, app: AppProcess) -> None:
    """End the page when its process has taken too much memory. The page tries again, with another process."""
    while app.memory_mb <= MOST_MEMORY_MB:  # noqa: ASYNC110 (a process that grows tells no event)
        await asyncio.sleep(WEIGHED_EVERY_S)
    await page.socket.close(
        FAILED, f"The panel's process for this page took more than {MOST_MEMORY_MB:g} MB of memory."
    )


async def _check_session(page: Page, url: str) -> None:
    """End the page when its session is over: it was signed out elsewhere, was not used, or its token was revoked."""
    async with Client(url, page.secret) as client:
        while True:
            used, page.was_used = page.was_used, False
            try:
                await client.session(used=used)
            except NotSignedIn:
                await page.socket.close(SIGN_IN_AGAIN)
                return
            except ClientError:
                # The orchestrator is away, as while it is upgraded: the page goes on, and it is asked again.
                page.was_used = page.was_used or used
            await asyncio.sleep(CHECKED_EVERY_S)
