"""What became of an app's failovers: how many there were, why, and how many requests the standby has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.crashes import Crashes
from orchestrator.clock import elapsed, now
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import EventKind
from orchestrator.errors import EngineError, JournalError, ProxyError

log = structlog.get_logger()


@dataclass
class Record:
    """The failovers of one app since the orchestrator's start.

    `since` is set while the standby answers, because of `cause`. `counted` is the proxy's count of its answers at the
    last look; it begins again with the proxy.
    """

    times: int = 0
    requests: int = 0
    """How many requests the standby has answered."""
    since: datetime | None = None
    cause: str = ""
    began: float = 0.0
    at_first: int = 0
    """`requests` when this failover began."""
    counted: int = 0
    is_counted: bool = True
    """Whether the answers of the last failover are in `requests`, to its end."""

    def count(self, counted: int) -> None:
        self.requests += counted - self.counted if counted >= self.counted else counted
        self.counted = counted


async def remember(context: AppContext, record: Record) -> None:
    """The process before has failed over: since when the standby answers, and why, as the events say. What is not known
    is no reason to leave anything undone."""
    kinds, journal, moment = (EventKind.FAILED_OVER, EventKind.WENT_BACK), context.journal, now()
    try:
        newest = next(iter(await journal.beside(journal.newest_events, kinds, context.name, 1)), None)
    except JournalError as error:
        log.warning("moment of a failover not known", app=context.name, cause=error.cause)
        return
    began_live = context.active.live_at if context.active else None
    is_earlier = newest is not None and began_live is not None and newest.at < began_live  # a switch has ended that one
    told = newest if newest and newest.kind == EventKind.FAILED_OVER and not is_earlier else None
    record.since = told.at if told else moment
    record.cause = str(told.fields["cause"]) if told else "why is not recorded"
    lasts_s = max(0.0, (moment - record.since).total_seconds())  # the clock may have been set back
    record.began, record.at_first, record.is_counted = elapsed() - lasts_s, record.requests, False


async def count_the_rest(context: AppContext, record: Record) -> None:
    """After a failover: what the standby has answered since the last look. Later, if the proxy does not say it now."""
    if record.is_counted:
        return
    try:
        record.count(await context.proxy.answers_of_standby(context.name))
    except ProxyError as error:
        log.warning("answers of the standby not counted yet", app=context.name, cause=error.cause)
        return
    record.is_counted = True


async def why_ended(context: AppContext, active: Deployment, crashes: Crashes) -> str:
    """By the engine's event. It is asked if that does not say all: it answers late about a container that has just
    ended, or fails, and says nothing of the end of one that it has started again."""
    heard = crashes.last_end(active.container)
    known = f"{active.container} {heard.in_words if heard else 'has ended'}"
    if heard and heard.is_whole:
        return known
    try:
        status = await context.engine.status(active.container)
    except EngineError as error:
        log.warning("cause of a crash not known", app=context.name, cause=error.cause)
        return known
    if status is None:
        return known if heard else f"{active.container} does not exist any more"
    return known if status.running else f"{active.container} {status.why_stopped}"
