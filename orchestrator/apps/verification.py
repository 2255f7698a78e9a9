"""Whether a container works, asked as a real client would ask, before it has any traffic."""

from __future__ import annotations

import asyncio
import base64
import os

from orchestrator.apps.context import AppContext
from orchestrator.apps.readiness import LOG_LINES, until_ready
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import StepFailed
from orchestrator.proxy.rendering import HEADER_BACKEND

HANDSHAKE_TIMEOUT_S = 5.0


async def verify(context: AppContext, deployment: Deployment) -> None:
    """The container is ready; `health.page` and `health.websocket` answer through the proxy's preview route.

    Afterwards Docker itself keeps the container running. Raises StepFailed with the container's log.
    """
    health = context.config.health
    await until_ready(context, deployment)
    if health.page:
        await _page(context, deployment, health.page)
    if health.websocket:
        await _websocket(context, deployment, health.websocket)
    await context.engine.keep_running(deployment.container)


async def _page(context: AppContext, deployment: Deployment, path: str) -> None:
    answer = await context.proxy.ask(path, backend=context.proxy.route(context.name).preview)
    if answer.status_code >= 400:
        raise StepFailed(
            f"The page {path} (health.page) answered with status {answer.status_code}.",
            "The container's log says more.",
            log=await context.engine.logs(deployment.container, LOG_LINES),
        )


async def _websocket(context: AppContext, deployment: Deployment, path: str) -> None:
    """The opening handshake of RFC 6455, section 4, and no more."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: changeover.internal\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"{HEADER_BACKEND}: {context.proxy.route(context.name).preview}\r\n\r\n"
    )
    reader, writer = await asyncio.open_unix_connection(context.proxy.internal_socket)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            first = (await reader.readline()).decode(errors="replace").strip()
    except TimeoutError:
        first = f"no answer within {HANDSHAKE_TIMEOUT_S:g} s"
    finally:
        writer.close()
    if " 101" not in first:
        raise StepFailed(
            f"The WebSocket {path} (health.websocket) was not opened: {first}.",
            "The container's log says more.",
            log=await context.engine.logs(deployment.container, LOG_LINES),
        )
