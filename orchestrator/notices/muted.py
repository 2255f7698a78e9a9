"""Notices of a muted app: they are recorded, and not sent."""

from __future__ import annotations

from orchestrator.domain.mute import NoticeMuted
from orchestrator.domain.notice import Notice
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal


async def is_muted(notice: Notice, journal: Journal, events: EventStream) -> bool:
    """Whether the notice is of a muted app; if so, that is recorded as an event. Raises JournalError."""
    mute = await journal.beside(journal.mute, notice.app)
    if mute is None or not mute.covers(notice.queued_at):
        return False
    await events.publish(NoticeMuted(notice.about, notice.title), notice.app)
    return True
