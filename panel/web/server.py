"""The panel's web server: sign-in, the page, the WebSocket of each session, and readiness."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Form, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers

from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.session.store import Store
from panel.web import pages
from panel.web.prewarmed import PrewarmedProcess
from panel.web.process import AppFailed, AppProcess

COOKIE = "changeover_token"
COOKIE_AGE_S = 30 * 24 * 3600
SIGN_IN_AGAIN, ENDED, SERVICE_RESTART, TRY_LATER = 4401, 4410, 1012, 1013


class PanelServer:
    """The open sessions, and the prewarmed process for the next one."""

    def __init__(self, orchestrator_url: str, store: Store) -> None:
        self.url = orchestrator_url
        self.store = store
        self.prewarmed = PrewarmedProcess()
        self.sessions: dict[WebSocket, AppProcess] = {}

    async def drain(self) -> None:
        """Save and close every session, with status 1012, so that its page connects again, to the new release."""
        open_now = list(self.sessions.items())
        await asyncio.gather(*(app.save() for _, app in open_now))
        for socket, _ in open_now:
            if socket in self.sessions:
                await socket.close(SERVICE_RESTART)

    async def end_if_it_cannot_paint(self) -> None:
        """End a panel that cannot paint its first screen, so that its deployment fails at once."""
        try:
            await self.prewarmed.ready()
        except AppFailed as error:
            print(f"The panel cannot paint its first screen: {error}", file=sys.stderr)
            signal.raise_signal(signal.SIGTERM)

    async def signed_in(self, token: str) -> bool:
        """Whether the orchestrator accepts this token. Raises ClientError when the request fails."""
        if not token:
            return False
        try:
            async with Client(self.url, token) as client:
                await client.apps()
        except NotSignedIn:
            return False
        return True

    async def problem(self) -> str:
        """Why the panel is not ready for traffic; empty when it is."""
        if self.prewarmed.problem:
            return self.prewarmed.problem
        if not await asyncio.to_thread(self.store.at_head):
            return "the panel's database is not at the newest schema revision"
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                (await client.get(f"{self.url}/healthz")).raise_for_status()
        except httpx.HTTPError as error:
            return f"the orchestrator at {self.url} does not answer: {error or type(error).__name__}"
        return ""


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

    web = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/textual", StaticFiles(directory=str(files("textual_serve") / "static")))
    web.mount("/assets", StaticFiles(directory=str(pages.HERE / "static")))

    @web.get("/readyz")
    async def ready() -> PlainTextResponse:
        problem = await panel.problem()
        return PlainTextResponse(problem or "ready", 503 if problem else 200)

    @web.get("/")
    async def page(request: Request) -> Response:
        if COOKIE not in request.cookies:
            return RedirectResponse("/sign-in", 303)
        return HTMLResponse(pages.terminal(), headers=pages.HEADERS)

    @web.get("/sign-in")
    async def sign_in_page() -> HTMLResponse:
        return HTMLResponse(pages.sign_in(), headers=pages.HEADERS)

    @web.post("/sign-in")
    async def sign_in(request: Request, token: str = Form("")) -> Response:
        if not same_origin(request.headers):
            return HTMLResponse(
                pages.sign_in("Sign-in refused: the form was sent from another site. Open this page and try again."),
                403,
                pages.HEADERS,
            )
        try:
            if not await panel.signed_in(token.strip()):
                return HTMLResponse(
                    pages.sign_in("Sign-in refused: the token is unknown or revoked."), 401, pages.HEADERS
                )
        except ClientError as error:
            return HTMLResponse(pages.sign_in(str(error)), 503, pages.HEADERS)
        answer = RedirectResponse("/", 303)
        secure = request.headers.get("x-forwarded-proto") == "https"
        answer.set_cookie(COOKIE, token.strip(), COOKIE_AGE_S, httponly=True, samesite="strict", secure=secure)
        return answer

    @web.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        answer = RedirectResponse("/sign-in", 303)
        if same_origin(request.headers):
            answer.delete_cookie(COOKIE)
        return answer

    @web.websocket("/session")
    async def session(socket: WebSocket, session: str, width: int = 80, height: int = 24) -> None:
        if not same_origin(socket.headers):
            await socket.close(1008)
            return
        await socket.accept()
        token = socket.cookies.get(COOKIE, "")
        try:
            if not await panel.signed_in(token):
                await socket.close(SIGN_IN_AGAIN)
                return
            app = await panel.prewarmed.take()
        except (ClientError, AppFailed):
            # The page keeps its content and tries again; /readyz has the cause.
            await socket.close(TRY_LATER)
            return
        panel.sessions[socket] = app
        try:
            await app.adopt(session, token, bounded(width, 20, 500), bounded(height, 8, 200))
            await carry(socket, app)
        finally:
            panel.sessions.pop(socket, None)
            await app.end()

    return web


async def carry(socket: WebSocket, app: AppProcess) -> None:
    """Pass input from the page to the process and output back, until one of them ends."""

    async def to_page() -> None:
        async for data in app.output():
            await socket.send_bytes(data)
        await socket.close(ENDED)

    async def to_app() -> None:
        while True:
            answer = await app.take(await socket.receive_text())
            if answer:
                await socket.send_text(answer)

    tasks = [asyncio.create_task(to_page()), asyncio.create_task(to_app())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        # A session ends when its page is closed, possibly while data is sent to it.
        expected = (asyncio.CancelledError, WebSocketDisconnect, RuntimeError)
        if isinstance(result, BaseException) and not isinstance(result, expected):
            raise result


def same_origin(headers: Headers) -> bool:
    """Whether the request's Origin is this host. Clients that are not browsers send no Origin, and are accepted."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def bounded(value: int, least: int, most: int) -> int:
    return max(least, min(most, value))
