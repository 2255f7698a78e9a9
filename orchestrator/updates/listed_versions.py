"""The versions that a source has, each with what became of it here."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import dataclass

from orchestrator.apps.context import AppContext
from orchestrator.deploy.crashed_standby import Crash, way_back
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release_history import Attempt, Standing, standing
from orchestrator.errors import Refused, StepFailed, UnknownVersion
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.sources.base import Source, SourceVersion
from orchestrator.updates.asked_host import asked_host
from orchestrator.updates.remembered import Remembered, is_same
from orchestrator.updates.turns import CheckTurns

LIST_WITHIN_S = 120.0
MOST_SHOWN = 5


@dataclass(frozen=True)
class Listed:
    """`state`: live, standby, was_live, failed, skipped, or empty."""

    version: SourceVersion
    state: str


class VersionLists:
    """Asks sources for their versions. Of many who ask one source at once, few ask it, and they take turns with those
    who ask for checks: a deployment waits for the same mirror. Used on the event loop."""

    def __init__(self, turns: CheckTurns, remembered: Remembered) -> None:
        self._turns = turns
        self._remembered = remembered
        self._questions: dict[str, tuple[Source, SharedQuestion[tuple[SourceVersion, ...]]]] = {}
        """By app, with the source that is asked."""

    async def of(self, context: AppContext) -> tuple[Listed, ...]:
        """Ask the source of an app. Raises StepFailed or JournalError."""
        known = self._questions.get(context.name)
        if known is None or known[0] is not context.source:
            known = self._questions[context.name] = (context.source, SharedQuestion())

        async def ask() -> tuple[SourceVersion, ...]:
            async with self._turns.asked(context.name, asked_host(context.config.update)):
                return await _versions(context)

        found = await known[1].ask(ask)
        attempts = context.journal.attempts(context.name)
        return tuple(Listed(one, _state(one, context, attempts, self._remembered)) for one in found)

    async def refuse_skip(self, context: AppContext, version: str, found: str, crash: Crash | None) -> None:
        """As UpdateChecker.refuse_skip. `found`: the version that a check found, which needs no list."""
        app, release = context.name, context.active.release if context.active else None
        if release and is_same(version, release.version):
            raise Refused(
                f"{version} of {app} is live: only what is not live is skipped.",
                way_back(app, context.standby, crash),
            )
        if is_same(version, found):
            return
        listed = [one.version for one in await self.of(context)]
        if not any(is_same(version, one.version) or version == one.ref for one in listed):
            shown = ", ".join(one.version for one in listed[:MOST_SHOWN]) or "none"
            raise UnknownVersion(
                f"The source of {app} has no version '{version}'. Its newest: {shown}.",
                f"See them all: changeover versions {app}",
            )

    def keep(self, apps: Container[str]) -> None:
        """Forget the sources of all other apps."""
        self._questions = {name: known for name, known in self._questions.items() if name in apps}


async def _versions(context: AppContext) -> tuple[SourceVersion, ...]:
    try:
        async with asyncio.timeout(LIST_WITHIN_S) as limit:
            return await context.source.versions()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StepFailed(
            f"The versions of {context.name} were not listed within {LIST_WITHIN_S:g} s.",
            "Check how fast this host reaches the source, then try again.",
        ) from error


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
