"""Whether a container is ready for traffic, found by probes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from orchestrator.apps.answer_text import said
from orchestrator.apps.context import AppContext
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import ContainerStatus
from orchestrator.errors import ProxyError, StepFailed
from orchestrator.proxy.routes import Server

FIRST_PAUSE_S = 0.025
LONGEST_PAUSE_S = 0.4
LOG_LINES = 40
PROGRESS_HEADER = "x-progress"
"""A header in which an app that is starting reports its progress. Each new value extends the deadline."""


async def answers_now(context: AppContext, deployment: Deployment) -> bool:
    """Send one probe: whether the container answers with success now."""
    try:
        answer = await context.prober.ask(deployment.address, deployment.port, context.config.health.path)
    except httpx.HTTPError:
        return False
    return answer.is_success


async def until_ready(context: AppContext, deployment: Deployment) -> None:
    """Wait for `health.answers` successful probes in a row: the first directly, the others through the preview route.

    Raises StepFailed, with the container's log, when the container stops, Docker reports it as unhealthy, or it is not
    ready within `health.timeout` seconds. A new value of the header X-Progress extends the deadline by that time.
    """
    health = context.config.health
    await context.proxy.preview(context.name, Server(deployment.address, deployment.port))
    started = elapsed()
    so_far = _SoFar(deadline=started + health.timeout)
    while True:
        status = await _running(context, deployment)
        await _probe(context, deployment, so_far)
        if so_far.good >= health.answers and status.health == "starting":
            so_far.good, so_far.last = health.answers - 1, "Docker's HEALTHCHECK is still starting"
        if so_far.good >= health.answers:
            break
        if elapsed() > so_far.deadline:
            raise StepFailed(
                f"{health.path} was not ready within {health.timeout:g} s (health.timeout): {so_far.last}.",
                f"Raise health.timeout of {context.name} if it needs longer.",
                log=await context.engine.logs(deployment.container, LOG_LINES),
            )
        await asyncio.sleep(so_far.pause)
        if so_far.good == 0:
            so_far.pause = min(so_far.pause * 1.3, LONGEST_PAUSE_S)
    context.say(
        deployment.id,
        f"ready after {elapsed() - started:.2f} s: {so_far.good} good answers in a row from {health.path}",
    )


@dataclass
class _SoFar:
    """The result of the probes so far: successes in a row, the last failure, the progress and the deadline."""

    deadline: float
    good: int = 0
    pause: float = FIRST_PAUSE_S
    last: str = "no answer yet"
    progress: str = ""


async def _probe(context: AppContext, deployment: Deployment, so_far: _SoFar) -> None:
    health = context.config.health
    try:
        if so_far.good == 0:
            answer = await context.prober.ask(deployment.address, deployment.port, health.path)
        else:
            answer = await context.proxy.ask_preview(context.name, health.path, PROBE_TIMEOUT_S)
    except (httpx.HTTPError, ProxyError) as error:
        so_far.good, so_far.last = 0, f"no answer ({said(str(error), context.known_secrets) or type(error).__name__})"
        return
    if answer.is_success:
        so_far.good, so_far.pause = so_far.good + 1, FIRST_PAUSE_S
    else:
        so_far.good, so_far.last = (
            0,
            f"status {answer.status_code}: {said(answer.text, context.known_secrets)}".rstrip(": "),
        )
    reported = said(answer.headers.get(PROGRESS_HEADER, ""), context.known_secrets)
    if reported and reported != so_far.progress:
        so_far.progress, so_far.deadline = reported, elapsed() + health.timeout
        context.say(deployment.id, f"getting ready: {reported}")


async def _running(context: AppContext, deployment: Deployment) -> ContainerStatus:
    """The container's status. Raises StepFailed with its log when it has stopped or Docker reports it as unhealthy."""
    status = await context.engine.status(deployment.container)
    if status is None:
        raise StepFailed(
            f"The new container {deployment.container} does not exist any more.",
            f"Deploy again: changeover deploy {context.name}",
        )
    if not status.running:
        raise StepFailed(
            f"The new container {status.why_stopped} before it was ready.",
            f"Raise run.memory of {context.name}." if status.oom else "",
            log=await context.engine.logs(deployment.container, LOG_LINES),
            exit_code=status.exit_code,
            oom=status.oom,
        )
    if status.health == "unhealthy":
        log = await context.engine.logs(deployment.container, LOG_LINES)
        checks = (line for entry in status.health_log for line in entry.splitlines())
        raise StepFailed("Docker's HEALTHCHECK reports the new container as unhealthy.", log=(*log, *checks))
    return status
