"""What answers at the API's port while the journal is away at the start: everything waits for it, and this says why.

A process that ended instead would be started again by Docker, with longer and longer pauses in which nothing answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from border.secrets import Secrets
from http_limits.connections import ConnectionLimits, uvicorn_options
from http_limits.server import QuietServer
from orchestrator.clock import now
from orchestrator.errors import JournalError
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.settings import Settings

log = structlog.get_logger()

T = TypeVar("T")
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
CONNECTIONS = ConnectionLimits(most=100, most_kept=20)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class WaitingRoom:
    """Tries to open the journal until it can be, with growing pauses, and answers requests meanwhile.

    The journal is opened in a thread. A signal that ends the process ends the waiting.
    """

    def __init__(self, settings: Settings, known_secrets: Secrets) -> None:
        self._settings = settings
        self._known_secrets = known_secrets
        self.since: datetime = now()
        self.why = ""

    async def until_open(self, make: Callable[[], T]) -> T | None:
        """What `make` returns as soon as it raises no JournalError; None when the process was asked to end.

        `make` is called at once. The server is there from the first error on, and gone when this returns.
        Raises every other error of `make`, and JournalTooNew.
        """
        server, serving = self._server(), None
        pause = FIRST_PAUSE_S
        try:
            while not server.should_exit:
                try:
                    return await to_its_end(asyncio.to_thread(make))
                except JournalError as error:
                    if not error.may_come_back:
                        raise
                    self.why = self._known_secrets.text(str(error))
                log.error("journal is away, it is waited for", cause=self.why, again_in_s=pause)
                if serving is None:
                    serving = asyncio.create_task(server.serve())
                # The server ends at a signal.
                await asyncio.wait([serving], timeout=pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            return None
        finally:
            if serving:
                server.should_exit = True
                with suppress(asyncio.CancelledError):
                    await serving

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
                Route("/{path:path}", self._problem, methods=METHODS),
            ]
        )

    def _server(self) -> QuietServer:
        config = uvicorn.Config(
            self.application(),
            host=self._settings.api_host,
            port=self._settings.api_port,
            log_config=None,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
            **uvicorn_options(CONNECTIONS),
        )
        return QuietServer(config)

    async def _alive(self, _request: Request) -> Response:
        return PlainTextResponse("ok, waiting for the journal\n")

    async def _ready(self, _request: Request) -> Response:
        return PlainTextResponse("waiting for the journal\n", status_code=503)

    async def _problem(self, _request: Request) -> Response:
        """As api/problems.py answers a journal that does not answer later. No token can be checked without it."""
        detail = f"The orchestrator has waited for its journal since {self.since:%Y-%m-%d %H:%M:%S} UTC. {self.why}"
        view = {
            "type": "urn:changeover:JournalError",
            "title": "JournalError",
            "status": 503,
            "detail": detail,
            "remedy": "It goes on by itself when the journal answers. See its log: docker compose logs orchestrator",
            "log": [],
        }
        return JSONResponse(view, 503, {"Retry-After": "5"}, media_type="application/problem+json")
