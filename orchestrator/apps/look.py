"""One look at an app: how its clients find its active release."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import httpx

from orchestrator.apps import answer_text
from orchestrator.apps.context import AppContext
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.apps.readiness_answer import ask_ready
from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError

UNREACHED_AGAIN_AFTER_S = 0.5


class Health(StrEnum):
    """The health of an active release, as its clients see it.

    `unhealthy`: its readiness path fails. `unreached`: it answers, but the proxy sends its requests elsewhere.
    `paused`: it may be well, but new requests wait. `crashing`: it answers, and its container has ended several times
    in the last minutes. `standby`: the standby answers, because the active container ended.
    """

    HEALTHY = "healthy"
    PAUSED = "paused"
    UNHEALTHY = "unhealthy"
    UNREACHED = "unreached"
    CRASHING = "crashing"
    STANDBY = "standby"
    STOPPED = "stopped"
    NONE = "none"


async def ask(context: AppContext) -> Health:
    """As `look`, without the reason."""
    return (await look(context))[0]


async def look(
    context: AppContext, crashes: Crashes | None = None, answered: dict[str, str] | None = None
) -> tuple[Health, str]:
    """The health of an app, and why it is unhealthy or stopped.

    Probe the active release through the proxy, or the standby that has its requests; ask the engine only if that fails.
    `answered`: the path that it has answered well before, which is kept there. Raises EngineError or JournalError.
    """
    active = context.active
    if active is None or active.colour is None:
        return Health.NONE, ""
    failed_over = context.proxy.route(context.name).failed_over
    # The standby by its own colour: what is asked in the active one's place counts as requests that it has answered.
    colour = active.colour.other if failed_over else active.colour
    known = {} if answered is None else answered
    path, why = await _answered_well(context, colour, known.get(active.container, ""))
    if path:
        known.clear()
        known.update({} if failed_over else {active.container: path})
        if await _is_paused(context):
            return Health.PAUSED, ""
        if failed_over:
            return Health.STANDBY, ""
        return Health.CRASHING if crashes and crashes.is_loop(active.container) else Health.HEALTHY, ""
    status = await context.engine.status(active.container)
    if status is None:
        return Health.STOPPED, "its container does not exist any more"
    if not status.running:
        return Health.STOPPED, f"its container {status.why_stopped}"
    return Health.UNHEALTHY, "its container is paused" if status.paused else why


async def why_unreached(context: AppContext) -> str:
    """Why requests with the app's own hosts and path do not reach the active release; empty if they do.

    Asked again after a moment: a switch changes the routes. The app itself gets no request for this.
    """
    why = ""
    for pause in (0.0, UNREACHED_AGAIN_AFTER_S):
        await asyncio.sleep(pause)
        try:
            why = await context.proxy.unreached(context.name)
        except ProxyError as error:
            why = error.cause.rstrip(".")
        if not why:
            break
    return why


async def _answered_well(context: AppContext, colour: Colour, known: str) -> tuple[str, str]:
    """The path that the release of this colour answers with success, or empty and why it does not. `known` as in
    ask_ready."""

    async def ask(path: str) -> httpx.Response:
        return await context.proxy.ask_colour(context.name, colour, path, PROBE_TIMEOUT_S)

    try:
        found = await ask_ready(context.config.health.path, ask, known=known)
    except ProxyError as error:
        return "", error.cause.rstrip(".")
    why_not = answer_text.said(found.why_not, context.known_secrets)
    return (found.path, "") if found.ready else ("", f"through the proxy, {why_not}")


async def _is_paused(context: AppContext) -> bool:
    try:
        return context.name in await context.proxy.paused()
    except ProxyError:
        return False
