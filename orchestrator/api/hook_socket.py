"""The server of the hooks, at a Unix socket in the volume that only the proxy shares."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from http_limits.connections import ConnectionLimits, uvicorn_options
from http_limits.server import QuietServer
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.proxy.hooks_way import SOCKET

CONNECTIONS = ConnectionLimits(most=2000, most_kept=0)
"""The proxy sends few deliveries at the same time (hooks_way.py); each that waits tries whether somebody listens."""


class _Server(QuietServer):
    """Signals belong to the server of the API, which stops this one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(hooks: ASGIApp, folder: Path) -> None:
    """Serve until cancelled; what is being answered is answered before that ends. `folder` is the shared volume's."""
    folder.mkdir(parents=True, exist_ok=True)
    config = uvicorn.Config(
        hooks,
        uds=str(folder / SOCKET),
        log_config=None,
        log_level="warning",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        **uvicorn_options(CONNECTIONS),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await to_its_end(serving)
