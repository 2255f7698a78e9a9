"""The contexts by which an app's backups are read, also those of an app that is not configured any more."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.server import Orchestrator


async def contexts_of(orchestrator: Orchestrator, app: str) -> list[AppContext]:
    """One for each place where the app's backups are: of a configured app, the place that it has now.

    Raises UnknownApp if no such app is configured or was ever deployed, or JournalError.
    """
    context = await orchestrator.apps.known(app)
    if any(context is one for one in orchestrator.apps.all()):
        return [context]
    places = (context.backups, *orchestrator.apps.backup_places.of(app))
    return [replace(context, backups=place) for place in dict.fromkeys(places)]


async def context_with(orchestrator: Orchestrator, app: str, backup: str) -> AppContext:
    """That of the place which has this backup; the last place if none has it. The caller may start sidecars.

    Raises UnknownApp, JournalError, StepFailed or EngineError.
    """
    *others, last = await contexts_of(orchestrator, app)
    for context in others:
        if any(entry.id == backup for entry in await backups.entries(context)):
            return context
    return last
