"""Asks the active release, after a failure, whether it serves: a message says so only after it has answered."""

from __future__ import annotations

import asyncio

import httpx

from orchestrator.apps import answer_text, look, readiness
from orchestrator.apps.context import AppContext
from orchestrator.apps.look import Health
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.domain.deployment import Deployment, Serving
from orchestrator.errors import ChangeoverError, JournalError

WITHIN_S = 5.0
"""How long a release that does not answer well is asked again, in seconds: it may have been woken a moment ago."""
AGAIN_AFTER_S = 0.25


async def ask_active(context: AppContext) -> Serving:
    """Ask the active release by its readiness path, at its container and through the proxy, and for `health.page`.

    Does not raise a ChangeoverError: what cannot be asked does not count as an answer.
    """
    said = Serving(False, f"{context.name} did not answer within {WITHIN_S:g} s.")
    try:
        if context.active is None:
            return Serving(False, f"No release of {context.name} is live.")
        async with asyncio.timeout(WITHIN_S):
            while True:
                said = await ask_once(context)
                if said.answers:
                    return said
                await asyncio.sleep(AGAIN_AFTER_S)
    except TimeoutError:
        return said
    except JournalError as error:
        return _not_asked(context, error)


async def ask_once(context: AppContext) -> Serving:
    """Ask the active release once, as `ask_active` does."""
    try:
        active = context.active
        if active is None:
            return Serving(False, f"No release of {context.name} is live any more.")
        answered = await _at_its_container(context, active)
        return answered if isinstance(answered, Serving) else await _through_the_proxy(context, active, answered)
    except ChangeoverError as error:
        return _not_asked(context, error)


def _not_asked(context: AppContext, error: ChangeoverError) -> Serving:
    return Serving(False, f"Whether {context.name} serves could not be asked: {error}")


async def _at_its_container(context: AppContext, active: Deployment) -> Serving | str:
    """The path that it answers well."""
    path = context.config.health.first_path
    status = await context.engine.status(active.container)
    if status is None or not status.running:
        does_not = "exist" if status is None else "run"
        return Serving(False, f"{_name(active)} does not serve: its container does not {does_not}.")
    if status.paused:
        return Serving(False, f"{_name(active)} does not serve: its container is paused.")
    if active.address and status.address != active.address:
        where = f"at {status.address}, and not at {active.address}" if status.address else f"not at {active.address}"
        return Serving(False, f"{_name(active)} does not serve: its container is {where} in the network of the stack.")
    try:
        asked = await readiness.ask_directly(context, active)
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        return Serving(False, f"{_name(active)} does not serve: its container does not answer {path} ({why}).")
    if not asked.ready:
        why_not = answer_text.said(asked.why_not, context.known_secrets)
        return Serving(False, f"{_name(active)} does not serve: at its container, {why_not}.")
    return asked.path


async def _through_the_proxy(context: AppContext, active: Deployment, path: str) -> Serving:
    """`path`: what it has answered at its container."""
    settings = context.config.health
    found = await look.ask(context)
    if found is Health.PAUSED:
        return Serving(False, f"{_name(active)} is ready, but requests are paused: changeover resume {context.name}")
    if found is not Health.HEALTHY:
        return Serving(False, f"{_name(active)} does not serve: {path} has no good answer through the proxy.")
    if why := await look.why_unreached(context):
        return Serving(False, f"{_name(active)} answers, but its requests do not reach it: {why}.")
    asked = path
    if settings.page and active.colour:
        page = await context.proxy.ask_colour(context.name, active.colour, settings.page, PROBE_TIMEOUT_S)
        if page.status_code >= 400:
            return Serving(False, f"{_name(active)} answers {settings.page} (health.page) with {page.status_code}.")
        asked = f"{path} and {settings.page}"
    return Serving(True, f"{_name(active)} serves: it has answered {asked} at its container and through the proxy.")


def _name(active: Deployment) -> str:
    return f"{active.version} on {active.colour}"
