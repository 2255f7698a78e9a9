"""A notice: what is told to people outside of Changeover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.events import EventKind, Occurrence


class NoticeKind(StrEnum):
    """What a notice is about, as `notify.on` names it."""

    LIVE = "live"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UPDATE = "update"
    CHECK_FAILED = "check_failed"
    OUTAGE = "outage"


class Tone(StrEnum):
    """How services show a notice, from the worst to the best; the values are Apprise's types. `failure` is red."""

    FAILURE = "failure"
    WARNING = "warning"
    INFO = "info"
    SUCCESS = "success"


class About(StrEnum):
    """What happened that a notice tells. The journal keeps it; `kind` is how `notify.on` names it."""

    LIVE = "live"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UPDATE = "update"
    CHECK_FAILED = "check_failed"
    CHECK_SUCCEEDED = "check_succeeded"
    OUTAGE = "outage"
    OUTAGE_OVER = "outage_over"

    @property
    def kind(self) -> NoticeKind:
        return _ENDS.get(self) or NoticeKind(self.value)

    @property
    def tone(self) -> Tone:
        return _TONES[self]


_ENDS = {About.CHECK_SUCCEEDED: NoticeKind.CHECK_FAILED, About.OUTAGE_OVER: NoticeKind.OUTAGE}
"""Who is told that something began is told that it is over."""
_TONES = {
    About.LIVE: Tone.SUCCESS,
    About.FAILED: Tone.FAILURE,
    About.ROLLED_BACK: Tone.WARNING,
    About.UPDATE: Tone.INFO,
    About.CHECK_FAILED: Tone.FAILURE,
    About.CHECK_SUCCEEDED: Tone.SUCCESS,
    About.OUTAGE: Tone.FAILURE,
    About.OUTAGE_OVER: Tone.SUCCESS,
}


@dataclass(frozen=True)
class Notice:
    """A notice that waits. `id` is 0 until the journal has it. `taken`: the services that have it already, as
    `ServiceUrl.place` names them: they do not get it again after a restart."""

    app: str
    about: About
    title: str
    body: str
    queued_at: datetime
    id: int = 0
    taken: tuple[str, ...] = ()

    @property
    def kind(self) -> NoticeKind:
        return self.about.kind


@dataclass(frozen=True)
class NoticeFailed(Occurrence):
    """A service does not take notices, or its URL cannot be used. Nothing else depends on it. `service`: its label;
    empty for a file."""

    kind = EventKind.NOTICE_FAILED
    cause: str
    remedy: str = ""
    service: str = ""


@dataclass(frozen=True)
class NoticesTaken(Occurrence):
    """A service takes notices again."""

    kind = EventKind.NOTICES_TAKEN
    service: str
