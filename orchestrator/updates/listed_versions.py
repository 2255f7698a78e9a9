"""The versions that a source has, each with what became of it here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release_history import Attempt, Standing, standing
from orchestrator.errors import StepFailed
from orchestrator.sources.base import SourceVersion
from orchestrator.updates.remembered import Remembered

LIST_WITHIN_S = 120.0


@dataclass(frozen=True)
class Listed:
    """`state`: live, standby, was_live, failed, skipped, or empty."""

    version: SourceVersion
    state: str


async def listed_versions(context: AppContext, remembered: Remembered) -> tuple[Listed, ...]:
    """Ask the source. Raises StepFailed or JournalError."""
    try:
        async with asyncio.timeout(LIST_WITHIN_S) as limit:
            found = await context.source.versions()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StepFailed(
            f"The versions of {context.name} were not listed within {LIST_WITHIN_S:g} s.",
            "Check how fast this host reaches the source, then try again.",
        ) from error
    attempts = context.journal.attempts(context.name)
    return tuple(Listed(one, _state(one, context, attempts, remembered)) for one in found)


def _state(version: SourceVersion, context: AppContext, attempts: tuple[Attempt, ...], remembered: Remembered) -> str:
    if _is_of(version, context.active):
        return "live"
    if _is_of(version, context.standby):
        return "standby"
    if remembered.skipped(context.name, version.version):
        return "skipped"
    mine = next((one.release for one in attempts if one.release and _names(version, one.release.version)), None)
    known = standing(attempts, mine.source_revision if mine else version.ref)
    return {Standing.WAS_LIVE: "was_live", Standing.FAILED: "failed"}.get(known, "")


def _is_of(version: SourceVersion, deployment: Deployment | None) -> bool:
    release = deployment.release if deployment else None
    return release is not None and (version.ref == release.source_revision or _names(version, release.version))


def _names(version: SourceVersion, name: str) -> bool:
    return name in (version.version, version.ref)
