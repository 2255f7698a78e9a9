"""The events of commit statuses that a forge is told. Their kinds are in events.py."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class ReportFailed(Occurrence):
    """The forge was not told what became of a commit (`report`). The deployment does not depend on it."""

    kind = EventKind.REPORT_FAILED
    cause: str
    remedy: str = ""
