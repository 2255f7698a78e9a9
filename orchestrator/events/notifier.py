"""Notifiers: receivers of events inside the orchestrator."""

from __future__ import annotations

from typing import Protocol

import structlog

from orchestrator.domain.events import EventKind, Occurrence

log = structlog.get_logger()

QUIET = frozenset({EventKind.LINE, EventKind.STEP})
"""The kinds of events that are not logged. There are many of them, and the journal has them."""


class Notifier(Protocol):
    """Receives each event after it is recorded in the journal. `notify` must not raise and must not block."""

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None: ...


class LogNotifier:
    """Writes events to the orchestrator's log."""

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        if happened.kind not in QUIET:
            log.info(str(happened.kind), app=app, deployment=deployment, **happened.as_json())
