"""A standby that crashed: told when it becomes the standby, and known as long as it is, over restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.apps.context import AppContext
from orchestrator.domain.counted import counted
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.events import EventKind, Occurrence
from orchestrator.domain.standby_events import StandbyCrashed


@dataclass(frozen=True)
class Crash:
    """That the standby crashed, as a sentence, and when it became the standby; None if it crashed since."""

    says: str
    since: datetime | None = None


def told(standby: Deployment, crash: str, by: Deployment) -> tuple[Occurrence, str]:
    """That the release crashed, as said in `crash` (crash_in_words.py), and `by` made it the standby.

    The event belongs to the deployment that made the standby, so that it is found with it. It is recorded with the
    switch: nothing tells it later.
    """
    return StandbyCrashed(standby.version, f"its container {crash}", by.id), standby.id


def warning(standby: Deployment, crash: Crash | None) -> str:
    """A sentence for who is asked whether to roll back; empty if nothing speaks against the standby."""
    if crash:
        return crash.says
    if standby.state is State.ROLLED_BACK:
        return f"A rollback has taken the traffic from {standby.version} before."
    return ""


def no_return(app: str) -> str:
    """What to do instead of a rollback to a standby that crashed."""
    return f"Do not roll back to it; deploy another release. List them: changeover versions {app}"


def way_back(app: str, standby: Deployment | None, crash: Crash | None) -> str:
    """How to leave the release that is live; `crash` is that of the standby."""
    if standby is None:
        return f"There is no standby to roll back to; deploy another release. List them: changeover versions {app}"
    return f"{crash.says} {no_return(app)}" if crash else f"To go back to {standby.version}: changeover rollback {app}"


class CrashedStandbys:
    """Which standbys crashed. What the journal has of the standbys of now is kept in memory: `status` asks often.

    Implements Notifier. Used on the event loop only.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Crash | None]] = {}
        """By the app: the standby's deployment, and what the journal has of it."""
        self._told = 0

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        if happened.kind in (EventKind.STANDBY_CRASHED, EventKind.LIVE):
            self._told += 1
            self._known.pop(app, None)

    async def of(self, context: AppContext) -> Crash | None:
        """Whether the app's standby crashed when it was live, or in the last minutes; None without a standby, too.

        Raises JournalError.
        """
        standby = context.standby
        if standby is None:
            return None
        known = self._known.get(context.name)
        if known is None or known[0] != standby.id:
            before = self._told
            known = standby.id, await _recorded(context, standby)
            if before == self._told:
                self._known[context.name] = known
        if known[1] is None and context.crashes.is_loop(standby.container):
            times = counted(context.crashes.count(standby.container), "time")
            return Crash(f"{standby.version} crashed: its container ended {times} in ten minutes.")
        return known[1]


async def _recorded(context: AppContext, standby: Deployment) -> Crash | None:
    """Of the last time that it was live: what was before a rollback to it is over."""
    journal, kinds = context.journal, (EventKind.STANDBY_CRASHED,)
    newest = next(iter(await journal.beside(journal.newest_events, kinds, context.name, 1, standby.id)), None)
    if newest is None:
        return None
    left_by = journal.deployment(str(newest.fields["by"]))
    if await journal.beside(journal.newest_live, standby.container) > left_by.number:
        return None
    return Crash(f"{standby.version} crashed when it was live: {newest.fields['cause']}.", newest.at)
