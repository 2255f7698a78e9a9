"""Mutes an app for some hours, and ends that."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from orchestrator.clock import now
from orchestrator.domain.mute import Mute, Muted, Unmuted
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal


async def mute(app: str, hours: float, by: str, journal: Journal, events: EventStream) -> Mute:
    """Mute the app from now on, for so many hours, whether it is muted already or not. Raises JournalError."""
    since = now()
    asked = Mute(app, since, since + timedelta(hours=hours), by)
    told = Muted(asked.until.isoformat(timespec="seconds"), by)
    await events.publish(told, app, with_record=partial(journal.save_mute, asked))
    return asked


async def unmute(app: str, by: str, journal: Journal, events: EventStream) -> None:
    """End the app's mute now. Nothing happens if it is not muted. Raises JournalError."""
    if ending := await journal.beside(muted_now, journal, app, now()):
        ended = Mute(app, ending.since, now(), ending.by)
        await events.publish(Unmuted(by), app, with_record=partial(journal.save_mute, ended))


def muted_now(journal: Journal, app: str, moment: datetime) -> Mute | None:
    """The app's mute, if it is muted at this moment. Raises JournalError."""
    found = journal.mute(app)
    return found if found and found.covers(moment) else None
