"""The events of checks for updates, and of decisions on versions. Their kinds are in events.py."""

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


@dataclass(frozen=True)
class CheckFailed(Occurrence):
    """A check for updates failed."""

    kind = EventKind.CHECK_FAILED
    cause: str
    remedy: str


@dataclass(frozen=True)
class CheckSucceeded(Occurrence):
    """A check for updates succeeded after ones that failed."""

    kind = EventKind.CHECK_SUCCEEDED
