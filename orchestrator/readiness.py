"""Whether a container is ready for traffic, asked as a client of it would ask."""

from __future__ import annotations

import asyncio
import time

import httpx

from orchestrator.engine.containers import ContainerStatus
from orchestrator.errors import ProxyError, StepFailed
from orchestrator.model import Deployment
from orchestrator.proxy.routes import Server
from orchestrator.site import Site

FIRST_PAUSE_S = 0.025
LONGEST_PAUSE_S = 0.4
LOG_LINES = 40
MOST_OF_ANSWER = 300
PROGRESS_HEADER = "x-progress"
"""An app that is busy getting ready may say how far it is here; each new value moves the deadline on."""


async def answers_now(site: Site, deployment: Deployment) -> bool:
    """One question, one answer: whether a container that should be ready is."""
    try:
        async with httpx.AsyncClient(timeout=2.0, verify=False) as client:
            answer = await client.get(f"http://{deployment.address}:{deployment.port}{site.app.health.path}")
    except httpx.HTTPError:
        return False
    return answer.is_success


async def until_ready(site: Site, deployment: Deployment) -> None:
    """Several good answers in a row; first from the candidate itself, then all through the proxy's preview route.

    Raises StepFailed, with the container's log, when it ends or is not ready in time.
    """
    health = site.app.health
    await site.proxy.preview(site.name, Server(deployment.address, deployment.port))
    started = time.monotonic()
    deadline = started + health.timeout
    good, pause, last, progress = 0, FIRST_PAUSE_S, "no answer yet", ""
    direct = f"http://{deployment.address}:{deployment.port}{health.path}"
    # Plain HTTP on this host: without certificates to load, a client is made in no time.
    async with httpx.AsyncClient(timeout=2.0, verify=False) as itself:
        while good < health.answers:
            status = await _running(site, deployment)
            try:
                if good == 0:
                    answer = await itself.get(direct)
                else:
                    answer = await site.proxy.ask_preview(site.name, health.path)
            except (httpx.HTTPError, ProxyError) as error:
                good, last = 0, f"no answer ({error or type(error).__name__})"
            else:
                if answer.is_success:
                    good += 1
                    pause = FIRST_PAUSE_S
                else:
                    good, last = 0, f"status {answer.status_code}: {answer.text.strip()[:MOST_OF_ANSWER]}"
                if (reported := answer.headers.get(PROGRESS_HEADER, "")) and reported != progress:
                    progress, deadline = reported, time.monotonic() + health.timeout
                    site.say(deployment.id, f"getting ready: {reported}")
            if good >= health.answers and status.health == "starting":
                good, last = health.answers - 1, "Docker HEALTHCHECK is still starting"
            if good >= health.answers:
                break
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"{health.path} was not ready within {health.timeout:g} s: {last}.",
                    f"See the log below; raise health.timeout of {site.name} if it needs longer.",
                    log=await site.engine.logs(deployment.container, LOG_LINES),
                )
            await asyncio.sleep(pause)
            if good == 0:
                pause = min(pause * 1.3, LONGEST_PAUSE_S)
    site.say(deployment.id, f"ready after {time.monotonic() - started:.2f} s: {good} good answers from {health.path}")


async def _running(site: Site, deployment: Deployment) -> ContainerStatus:
    """Raises StepFailed with its log when the candidate has ended or calls itself unhealthy."""
    status = await site.engine.status(deployment.container)
    if status is None:
        raise StepFailed(f"The candidate {deployment.container} was removed from outside.")
    if not status.running:
        raise StepFailed(
            f"The new container {status.why_stopped} before it was ready.",
            f"Raise run.memory of {site.name}." if status.oom else "",
            log=await site.engine.logs(deployment.container, LOG_LINES),
            exit_code=status.exit_code,
            oom=status.oom,
        )
    if status.health == "unhealthy":
        log = await site.engine.logs(deployment.container, LOG_LINES)
        raise StepFailed("Docker's HEALTHCHECK calls the new container unhealthy.", log=log + status.health_log)
    return status
