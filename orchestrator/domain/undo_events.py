"""The event of an undo. Its kind is in events.py."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class Undo(Occurrence):
    """The undo of a step began (`state` is running), is done, or failed. `says`: what it did, or why it failed."""

    kind = EventKind.UNDO
    step: str
    state: str
    says: str = ""
    seconds: float | None = None
