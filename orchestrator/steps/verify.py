"""Step 7: the candidate proves that it works, asked as a real client would ask it, before it has any traffic."""

from __future__ import annotations

from orchestrator.errors import StepFailed
from orchestrator.model import Deployment
from orchestrator.readiness import LOG_LINES, until_ready
from orchestrator.site import Site

HANDSHAKE_TIMEOUT_S = 5.0


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
    answer = await site.proxy.ask_preview(site.name, path)
    if answer.status_code >= 400:
        raise StepFailed(
            f"The page {path} answered with status {answer.status_code}.",
            log=await site.engine.logs(deployment.container, LOG_LINES),
        )


async def _websocket(site: Site, deployment: Deployment, path: str) -> None:
    """The opening handshake of RFC 6455, section 4, and no more."""
    first = await site.proxy.open_preview_websocket(site.name, path, HANDSHAKE_TIMEOUT_S)
    if " 101" not in first:
        raise StepFailed(
            f"The WebSocket {path} was not opened: {first or f'nothing within {HANDSHAKE_TIMEOUT_S:g} s'}.",
            log=await site.engine.logs(deployment.container, LOG_LINES),
        )
