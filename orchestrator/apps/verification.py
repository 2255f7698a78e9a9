"""Verification of a container through the preview route, before it gets traffic."""

from __future__ import annotations

from orchestrator.apps.answer_text import said
from orchestrator.apps.context import AppContext
from orchestrator.apps.readiness import LOG_LINES, until_ready
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import ProxyError, StepFailed
from orchestrator.host.at_once import at_once

PAGE_TIMEOUT_S = 5.0
HANDSHAKE_TIMEOUT_S = 5.0


async def verify(context: AppContext, deployment: Deployment) -> None:
    """Wait until the container is ready, then request `health.page` and `health.websocket` through the preview route.

    Then set the container's restart policy, so that Docker restarts it. Raises StepFailed with the container's log.
    """
    health = context.config.health
    await until_ready(context, deployment)
    if health.page:
        await _page(context, deployment, health.page)
    if health.websocket:
        await _websocket(context, deployment, health.websocket)
    await at_once(_kept_connections(context, deployment), context.engine.keep_running(deployment.container))


async def _kept_connections(context: AppContext, deployment: Deployment) -> None:
    """Say so if the app serves one connection at a time, and keeps it: its requests would wait for each other."""
    if context.config.route.keep_alive and await context.prober.waits_for_idle_connections(
        deployment.address, deployment.port, context.config.health.first_path, host=context.probe_host
    ):
        context.say(
            deployment.id,
            f"{context.name} serves one connection at a time and keeps it open: other requests wait for seconds. "
            f"Set route.keep_alive of {context.name} to false.",
        )


async def _page(context: AppContext, deployment: Deployment, path: str) -> None:
    try:
        status = (await context.proxy.ask_preview(context.name, path, PAGE_TIMEOUT_S)).status_code
        problem = f"answered with status {status}" if status >= 400 else ""
    except ProxyError as error:
        # By the same way the app has just answered its readiness path: it is the app that does not answer.
        problem = f"has no answer within {PAGE_TIMEOUT_S:g} s ({error.cause.rstrip('.')})"
    if problem:
        raise StepFailed(
            f"The page {path} (health.page) {problem}.",
            f"Correct the page, or health.page of {context.name}.",
            log=await context.engine.logs(deployment.container, LOG_LINES),
        )


async def _websocket(context: AppContext, deployment: Deployment, path: str) -> None:
    answer = await context.proxy.open_preview_websocket(context.name, path, HANDSHAKE_TIMEOUT_S)
    if " 101" not in answer:
        raise StepFailed(
            f"The WebSocket {path} (health.websocket) was not opened: "
            f"{said(answer, context.known_secrets) or f'no answer within {HANDSHAKE_TIMEOUT_S:g} s'}.",
            f"Correct what the app answers there, or health.websocket of {context.name}.",
            log=await context.engine.logs(deployment.container, LOG_LINES),
        )
