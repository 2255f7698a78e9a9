"""Requests that wait while the data changes, instead of failing."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.draining import drain
from orchestrator.journal import now
from orchestrator.model import Deployment
from orchestrator.site import Site

HOLD_LIMIT_S = 300.0
"""The longest that one request is held; then it is answered with 503."""


async def hold(site: Site, deployment: Deployment) -> Deployment:
    """From now on new requests wait; returns when those under way are finished, so that nobody writes any more."""
    held = replace(deployment, held_at=now())
    site.journal.save(held)
    await site.proxy.pause(site.name, HOLD_LIMIT_S)
    site.say(deployment.id, "requests wait while the data changes")
    await drain(site, site.journal.deployment(deployment.previous), said_by=deployment)
    return held


async def release(site: Site, deployment: Deployment) -> Deployment:
    """Let the requests go that wait for this deployment, and note how long the first of them waited."""
    if deployment.held_at is None or deployment.released_at is not None:
        return deployment
    await site.proxy.resume(site.name)
    released = replace(deployment, released_at=now())
    site.journal.save(released)
    return released
