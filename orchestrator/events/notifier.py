"""Whoever wants to know what happens, as it happens."""

from __future__ import annotations

from typing import Protocol

import structlog

from orchestrator.domain.events import EventKind, Occurrence

log = structlog.get_logger()

QUIET = frozenset({EventKind.LINE, EventKind.STEP})
"""What a log of the orchestrator need not repeat: the journal has it, and it is much."""


class Notifier(Protocol):
    """Told of each event after the journal has it. Must not raise, and must not wait."""

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None: ...


class LogNotifier:
    """What happens, in the orchestrator's log."""

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        if happened.kind not in QUIET:
            log.info(str(happened.kind), app=app, deployment=deployment, **happened.as_json())
