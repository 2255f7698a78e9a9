"""The panel's web server: the open pages, the prewarmed process for the next one, and readiness."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from functools import partial

import httpx
from fastapi import WebSocketDisconnect

from border.plain import plain
from border.urls import hide_in_urls
from panel.client.access_model import Session
from panel.client.client import Client
from panel.client.errors import NotSignedIn
from panel.client.settings import is_https, is_near
from panel.session.store import Store, StoreUnavailable
from panel.uninterrupted import in_thread
from panel.web.fork_server import ForkServer
from panel.web.open_pages import OpenPages, Page
from panel.web.page import SERVICE_RESTART
from panel.web.prewarmed import PrewarmedProcess
from panel.web.process import AppFailed, AppProcess
from panel.web.readiness import Readiness
from panel.web.sign_in_form import SignInAttempts
from panel.web.unknown_visitors import (
    MOST_ASKED_FOR,
    MOST_ASKED_FOR_OF_ADDRESS,
    MOST_TURNED_AWAY,
    MOST_TURNED_AWAY_OF_ADDRESS,
    Places,
)


class PanelServer:
    """What is shared by the requests of one panel container."""

    def __init__(self, orchestrator_url: str, store: Store) -> None:
        self.url = orchestrator_url
        self.store = store
        self.fork_server = ForkServer()
        self.prewarmed = PrewarmedProcess(partial(AppProcess.start, self.fork_server))
        self.pages = OpenPages()
        self.attempts = SignInAttempts()
        self.asked_for = Places(MOST_ASKED_FOR, MOST_ASKED_FOR_OF_ADDRESS)
        self.turned_away = Places(MOST_TURNED_AWAY, MOST_TURNED_AWAY_OF_ADDRESS)
        self.readiness = Readiness(self.problem)
        self._has_sessions = False

    async def drain(self) -> None:
        """Save and close every page, with status 1012, so that it connects again, to the new release: when its person
        has read what is new, or at once where the new release is not live yet. Who stays is cut by the proxy."""
        pages = [(page, page.app) for page in self.pages if page.app]
        # All at once: a browser that does not answer keeps no other one here, nor does one whose state is not saved.
        for failed in await asyncio.gather(*(_move(page, app) for page, app in pages), return_exceptions=True):
            if isinstance(failed, BaseException):
                print(f"A page was not saved or closed: {failed!r}", file=sys.stderr)

    async def end_if_it_cannot_paint(self) -> None:
        """End a panel that cannot paint its first screen, so that its deployment fails at once."""
        try:
            await self.prewarmed.ready()
        except AppFailed as error:
            print(f"The panel cannot paint its first screen: {error}", file=sys.stderr)
            signal.raise_signal(signal.SIGTERM)

    async def session(self, secret: str, browser: str, *, used: bool = False) -> Session | None:
        """The session with this secret; None if it is over. `used`: by a person. Raises ClientError if that fails."""
        if not secret:
            return None
        try:
            async with Client(self.url, secret, browser=browser) as client:
                return await client.session(used=used)
        except NotSignedIn:
            return None

    async def problem(self) -> str:
        """Why the panel is not ready for traffic; empty when it is. `readiness` asks for it."""
        if self.prewarmed.problem:
            # Whoever can reach the panel can read this.
            return hide_in_urls(plain(self.prewarmed.problem))
        try:
            if not await in_thread(self.store.at_head):
                return "the panel's database is not at the newest schema revision"
        except StoreUnavailable:
            return "the panel's database does not answer"
        try:
            async with httpx.AsyncClient(
                timeout=2, verify=is_https(self.url), trust_env=not is_near(self.url)
            ) as client:
                (await client.get(f"{self.url}/healthz")).raise_for_status()
                if not self._has_sessions and await self._is_older(client):
                    return "the orchestrator is older than this panel and has no sessions. Upgrade it first: make up"
        except httpx.HTTPError as error:
            return f"the orchestrator at {self.url} does not answer: {error or type(error).__name__}"
        self._has_sessions = True
        return ""

    async def _is_older(self, client: httpx.AsyncClient) -> bool:
        """Whether the orchestrator lacks the route for sessions. OPTIONS needs no token and is not recorded there."""
        return (await client.options(f"{self.url}/v1/sessions/current")).status_code == 404


async def _move(page: Page, app: AppProcess) -> None:
    await app.save()
    await app.until_it_moves()
    await _send_away(page)


async def _send_away(page: Page) -> None:
    """To the new release. One that was closed meanwhile, by its person or with its session, needs nothing."""
    with suppress(RuntimeError, WebSocketDisconnect):
        await page.socket.close(SERVICE_RESTART)
