"""Step 7: the candidate proves that it works, asked as a real client would ask it, before it has any traffic."""

from __future__ import annotations

import asyncio
import base64
import os

from orchestrator.errors import StepFailed
from orchestrator.model import Deployment
from orchestrator.proxy.rendering import HEADER_BACKEND
from orchestrator.readiness import LOG_LINES, until_ready
from orchestrator.site import Site


async def candidate(site: Site, deployment: Deployment) -> Deployment:
    health = site.app.health
    await until_ready(site, deployment)
    if health.page:
        await _page(site, deployment, health.page)
    if health.websocket:
        await _websocket(site, deployment, health.websocket)
    await site.engine.keep_running(deployment.container)
    return deployment


async def end_preview(site: Site, _deployment: Deployment) -> str:
    await site.proxy.end_preview(site.name)
    return ""


async def _page(site: Site, deployment: Deployment, path: str) -> None:
    answer = await site.proxy.ask(path, backend=site.proxy.route(site.name).preview)
    if answer.status_code >= 400:
        raise StepFailed(
            f"The page {path} answered with status {answer.status_code}.",
            log=await site.engine.logs(deployment.container, LOG_LINES),
        )


async def _websocket(site: Site, deployment: Deployment, path: str) -> None:
    """The opening handshake of RFC 6455, section 4, and no more."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: changeover.internal\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"{HEADER_BACKEND}: {site.proxy.route(site.name).preview}\r\n\r\n"
    )
    reader, writer = await asyncio.open_unix_connection(site.proxy.internal_socket)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(5):
            first = (await reader.readline()).decode(errors="replace").strip()
    except TimeoutError:
        first = "nothing within 5 s"
    finally:
        writer.close()
    if " 101" not in first:
        raise StepFailed(
            f"The WebSocket {path} was not opened: {first}.",
            log=await site.engine.logs(deployment.container, LOG_LINES),
        )
