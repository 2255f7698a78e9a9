"""A muted app: people are told nothing of it for some hours. What happens to it is recorded all the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.events import EventKind, Occurrence

MOST_HOURS = 168
DEFAULT_HOURS = 4


@dataclass(frozen=True)
class Mute:
    """The app is muted from `since` until `until`, because the holder of the token `by` asked for it."""

    app: str
    since: datetime
    until: datetime
    by: str

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True)
class Muted(Occurrence):
    """A person muted the app. `until` is a moment as ISO 8601 writes it."""

    kind = EventKind.MUTED
    until: str
    by: str


@dataclass(frozen=True)
class Unmuted(Occurrence):
    """A person ended the mute before its time."""

    kind = EventKind.UNMUTED
    by: str


@dataclass(frozen=True)
class NoticeMuted(Occurrence):
    """A notice of the app was not sent, because the app is muted. `about`: what it tells, `title`: its first line."""

    kind = EventKind.NOTICE_MUTED
    about: str
    title: str
