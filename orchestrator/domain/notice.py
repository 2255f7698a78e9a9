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


@dataclass(frozen=True)
class Notice:
    """A notice that waits. `id` is 0 until the journal has it. `taken`: the services that have it already, as
    `ServiceUrl.place` names them: they do not get it again after a restart."""

    app: str
    kind: NoticeKind
    title: str
    body: str
    queued_at: datetime
    id: int = 0
    taken: tuple[str, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Whether it is about something that went wrong; services show it in red."""
        return self.kind in (NoticeKind.FAILED, NoticeKind.CHECK_FAILED)


@dataclass(frozen=True)
class NoticeFailed(Occurrence):
    """A service does not take notices, or its URL cannot be used. Nothing else depends on it."""

    kind = EventKind.NOTICE_FAILED
    cause: str
    remedy: str = ""
