"""Step 7: the candidate proves that it works, asked as a real client would ask it, before it has any traffic."""

from __future__ import annotations

import asyncio
import base64
import os
import time

import httpx

from orchestrator.engine.containers import ContainerStatus
from orchestrator.errors import ProxyError, StepFailed
from orchestrator.model import Deployment
from orchestrator.proxy.rendering import HEADER_BACKEND
from orchestrator.proxy.routes import Server
from orchestrator.site import Site

FIRST_PAUSE_S = 0.025
LONGEST_PAUSE_S = 0.4
LOG_LINES = 40
MOST_OF_ANSWER = 300
PROGRESS_HEADER = "x-progress"
"""An app that is busy getting ready may say how far it is here; each new value moves the deadline on."""


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
    preview = site.proxy.route(site.name).preview
    # Plain HTTP on this host: without certificates to load, a client is made in no time.
    async with httpx.AsyncClient(timeout=2.0, verify=False) as itself:
        while good < health.answers:
            status = await _running(site, deployment)
            try:
                if good == 0:
                    answer = await itself.get(direct)
                else:
                    answer = await site.proxy.ask(health.path, backend=preview)
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
