"""Requests of one app that wait while its data changes, instead of failing."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment

PAUSE_LIMIT_S = 300.0
"""The longest time that one request waits, in seconds; then it is answered with status 503."""


async def pause(context: AppContext, deployment: Deployment) -> Deployment:
    """From now on new requests wait. Returns when those under way are finished, so that nobody writes any more."""
    paused = replace(deployment, paused_at=now())
    context.journal.save(paused)
    await context.proxy.pause(context.name, PAUSE_LIMIT_S)
    context.say(deployment.id, "requests are paused while the data changes")
    await drain(context, context.journal.deployment(deployment.previous), said_by=deployment)
    return paused


async def resume(context: AppContext, deployment: Deployment) -> Deployment:
    """Let the requests go that wait for this deployment, and record how long the first of them waited."""
    if deployment.paused_at is None or deployment.resumed_at is not None:
        return deployment
    await context.proxy.resume(context.name)
    resumed = replace(deployment, resumed_at=now())
    context.journal.save(resumed)
    return resumed
