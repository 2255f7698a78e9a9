"""The routes of the panel's web server: sign-in, sign-out, the page, and the WebSocket of each page."""

from __future__ import annotations

import asyncio
import math
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection

from panel.client.access_model import Session
from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.web import cookie, page, pages, sign_in_form
from panel.web.open_pages import TooManyPages
from panel.web.origin import is_same_origin
from panel.web.process import AppFailed
from panel.web.server import PanelServer
from panel.web.sign_in_form import FormRefused
from panel.web.unknown_visitors import CLOSING_S

ELSEWHERE = "Sign-in refused: the form was sent from another site. Open this page and try again."
UNKNOWN = "Sign-in refused: the token is unknown or revoked."
TAB = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The id by which a tab's state is stored, which the page's script makes."""


class Revalidated(StaticFiles):
    """Files that a browser asks for again each time: a new release's page must not run the script of an old one."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:  # Any: as Starlette has it
        answer = super().file_response(*arguments, **named)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def create(panel: PanelServer) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_web: FastAPI) -> AsyncIterator[None]:
        draining: set[asyncio.Task[None]] = set()

        def drain() -> None:
            task = asyncio.create_task(panel.drain())
            draining.add(task)
            task.add_done_callback(draining.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drain)
        first = asyncio.create_task(panel.end_if_it_cannot_paint())
        yield
        first.cancel()
        await panel.prewarmed.end()
        await panel.fork_server.end()

    web = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/textual", Revalidated(directory=str(files("textual_serve") / "static")))
    web.mount("/assets", Revalidated(directory=str(pages.HERE / "static")))

    @web.get("/readyz")
    async def ready() -> PlainTextResponse:
        problem = await panel.readiness.problem()
        return PlainTextResponse(problem or "ready", 503 if problem else 200)

    @web.get("/")
    async def main_page(request: Request) -> Response:
        secret = cookie.secret_in(request.headers)
        try:
            session = await panel.session(secret, browser_of(request), used=True)
        except ClientError:
            # The page connects by itself when the orchestrator answers again.
            return _html(pages.terminal())
        if session is None:
            answer: Response = RedirectResponse("/sign-in", 303)
            cookie.take_away(answer, request.headers)
            return answer
        return _html(pages.terminal(session))

    @web.get("/sign-in")
    async def sign_in_page(signed_out: bool = False, ended: bool = False) -> HTMLResponse:
        note = "You are signed out." if signed_out else "The session has ended. Sign in again." if ended else ""
        return _html(pages.sign_in(note=note))

    @web.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        if not is_same_origin(request.headers):
            return _html(pages.sign_in(ELSEWHERE), 403)
        browser = browser_of(request)
        if (wait_s := panel.attempts.begin(browser)) > 0:
            return _wait(math.ceil(wait_s))
        try:
            token = await sign_in_form.token_of(request)
        except FormRefused as error:
            return _html(pages.sign_in(f"Sign-in refused: {error}."), 413)
        try:
            async with Client(panel.url, token, browser=browser) as client:
                session = await client.open_session()
        except NotSignedIn as error:
            return _html(pages.sign_in(UNKNOWN if "unknown" in error.cause else f"Sign-in refused: {error}"), 401)
        except ClientError as error:
            panel.attempts.told_nothing(browser)
            return _html(pages.sign_in(str(error)), 503)
        panel.attempts.succeeded(browser)
        answer = RedirectResponse("/", 303)
        cookie.give(answer, request.headers, session.session, session.expires_at)
        return answer

    @web.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        if not is_same_origin(request.headers):
            return _html(pages.sign_in("Sign-out refused: the form was sent from another site."), 403)
        secret = cookie.secret_in(request.headers)
        answer: Response = RedirectResponse("/sign-in?signed_out=true", 303)
        if secret:
            try:
                async with Client(panel.url, secret, browser=browser_of(request)) as client:
                    await client.end_session()
            except NotSignedIn:
                pass  # it was over already
            except ClientError as error:
                answer = _html(
                    pages.sign_in(
                        f"This browser is signed out, but the session could not be ended: {error.cause} "
                        "It ends when it is not used for 12 hours. To end it now, revoke its token."
                    ),
                    503,
                )
        cookie.take_away(answer, request.headers)
        answer.background = BackgroundTask(panel.pages.sign_out, secret)
        return answer

    @web.websocket("/session")
    async def session(socket: WebSocket, session: str, width: int = 80, height: int = 24, zone: str = "") -> None:
        if not is_same_origin(socket.headers) or not TAB.fullmatch(session):
            await socket.close(1008)
            return
        secret = cookie.secret_in(socket.headers)
        known = await _session_of(socket, panel, secret)
        if known is None:
            return
        await socket.accept()
        try:
            with panel.pages.opened(socket, secret, known.token) as opened:
                app = await panel.prewarmed.take()
                try:
                    opened.app = app
                    await app.adopt(session, secret, width, height, zone)
                    await page.carry(opened, app, panel.url)
                finally:
                    await app.end()
        except TooManyPages as error:
            await socket.close(page.TOO_MANY_PAGES, str(error))
        except AppFailed:
            # The page keeps its content and tries again; /readyz has the cause.
            await socket.close(page.TRY_LATER)

    return web


async def _session_of(socket: WebSocket, panel: PanelServer, secret: str) -> Session | None:
    """The session with which a WebSocket is asked for, before it is opened. None when it has none: then it is over.

    It is opened only to tell its page to sign in, and only as long as few are. A page that is refused keeps its content
    and tries again.
    """
    address = browser_of(socket)
    with panel.asked_for.one(address) as has_place:
        try:
            known = await panel.session(secret, address) if has_place else None
        except ClientError:
            known, has_place = None, False  # /readyz has the cause
    if known is not None:
        return known
    if has_place and panel.turned_away.take_for(address, CLOSING_S):
        await socket.accept()
        await socket.close(page.SIGN_IN_AGAIN)
    else:
        await socket.close(1008)
    return None


def browser_of(request: HTTPConnection) -> str:
    """The address of the browser, which the proxy names; it takes what a client says away."""
    named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return named or (request.client.host if request.client else "")


def _html(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(content, status, headers=pages.HEADERS)


def _wait(seconds: int) -> HTMLResponse:
    answer = _html(pages.sign_in(f"Sign-in refused: there were too many tries. Wait {seconds} s, then try again."), 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
