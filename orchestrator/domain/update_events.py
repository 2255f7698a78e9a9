"""The events of decisions on versions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.events import EventKind, Occurrence


class FoundBy(StrEnum):
    """The check that found an update."""

    START = "start"
    BACKGROUND = "background"
    ASKED = "asked"


@dataclass(frozen=True)
class Skipped(Occurrence):
    """A user decided that a version is never offered; with `undone`, that it is offered again."""

    kind = EventKind.SKIPPED
    version: str
    by: str
    undone: bool = False
