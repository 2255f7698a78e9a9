"""The notices that wait for each service, and a task for each service that has some: tries, pauses, gives up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import count

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from orchestrator.clock import now
from orchestrator.config.notify_urls import ServiceUrl
from orchestrator.domain.counted import counted
from orchestrator.domain.notice import Notice
from orchestrator.notices.courier import Message, Parcel, Rounds
from orchestrator.notices.texts import MOST_IN_DIGEST, digest_of, message_of
from orchestrator.supervision import Problem, Supervisor

log = structlog.get_logger()

MOST_WAITING = 100
"""Of one service; the oldest is dropped when another one comes."""
MOST_SINGLE = 3
"""When more wait, they are told as one message."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
GIVEN_UP_AFTER = timedelta(hours=6)
"""A notice that is older and fails once more is not tried again. Those that came later are."""


class Fate(StrEnum):
    """What became of a notice at one service."""

    TAKEN = "taken"
    DROPPED = "dropped"
    """Refused, too old, or too many waited."""
    MUTED = "muted"
    """Not sent to any service, because its app was muted."""


class NotTaken(Exception):
    """The service did not take it now; a later try may succeed."""


class Refused(Exception):
    """The service does not take `notices`: another try will not help."""

    def __init__(self, notices: list[Notice]) -> None:
        super().__init__()
        self.notices = notices


@dataclass
class Lane:
    """What waits for one service. `dropped`: so many that it did not get, and was not told of yet. `why`: of the last
    try, empty if it was taken."""

    service: ServiceUrl
    waiting: list[Notice] = field(default_factory=list)
    dropped: int = 0
    why: str = ""
    since: datetime | None = None
    is_served: bool = False
    most_together: int = MOST_WAITING
    """So many are sent at a time: fewer after a message of several was refused, as one that is too long is with 413."""

    @property
    def says(self) -> str:
        """What is wrong, for people; empty if nothing is."""
        if not self.why:
            return ""
        lost = f" {counted(self.dropped, 'notice')} could not be delivered." if self.dropped else ""
        return f"{self.service.label} does not take notices: {self.why.rstrip('.')}.{lost}"


class Lanes:
    """One lane for each URL. Used on the event loop alone; `keep_going` runs in a task of the supervisor.

    `is_configured` says whether a URL is still in its file; `done` is called when a service has a notice, or will never
    have it; `failed` with its label, a cause and a remedy when one does not take notices, once until it does again;
    `works` with the label of one that does again; `elsewhere` with each notice that waited for a URL that is in no file
    any more. A defect in the work for one service ends no other's, and is told by
    `problems`.
    """

    def __init__(
        self,
        rounds: Rounds,
        is_configured: Callable[[ServiceUrl], Awaitable[bool]],
        done: Callable[[ServiceUrl, list[Notice]], Awaitable[None]],
        failed: Callable[[str, str, str], Awaitable[None]],
        works: Callable[[str], Awaitable[None]],
        elsewhere: Callable[[Notice], Awaitable[None]],
        first_pause_s: float = FIRST_PAUSE_S,
        clock: Callable[[], datetime] = now,
        problems: dict[str, Problem] | None = None,
    ) -> None:
        self._rounds = rounds
        self._is_configured, self._done = is_configured, done
        self._failed, self._works, self._elsewhere = failed, works, elsewhere
        self._first_pause_s, self._now = first_pause_s, clock
        self._problems, self._numbers = problems, count(1)
        self._by_url: dict[str, Lane] = {}
        self.failing_before: dict[str, datetime] = {}
        """By label: since when services have not taken notices, of which no message was tried since the start."""
        self.total: Counter[tuple[str, Fate]] = Counter()
        """By app, since the orchestrator's start: how many notices each service took, and how many it never got."""
        self._news = asyncio.Event()

    def add(self, service: ServiceUrl, notice: Notice) -> Notice | None:
        """Let a notice wait for a service. Returns the one that is dropped for it, if too many wait."""
        lane = self._by_url.setdefault(service.url, Lane(service))
        lane.service = service
        dropped = None
        if all(one.id != notice.id for one in lane.waiting):
            lane.waiting.append(notice)
            if len(lane.waiting) > MOST_WAITING:
                dropped = lane.waiting.pop(0)
                lane.dropped += 1
                self.total[dropped.app, Fate.DROPPED] += 1
        self._news.set()
        return dropped

    @property
    def waiting(self) -> Counter[str]:
        """By app: how many notices wait, one for each service that is to have it."""
        return Counter(notice.app for lane in self._by_url.values() for notice in lane.waiting)

    def failing(self) -> list[Lane]:
        return [lane for lane in self._by_url.values() if lane.why]

    async def took(self, service: ServiceUrl) -> None:
        """A service took a message: nothing is wrong with it any more."""
        lane = self._by_url.get(service.url)
        did_fail = self.failing_before.pop(service.label, None) is not None or (lane is not None and bool(lane.why))
        if lane:
            lane.why, lane.since = "", None
        if did_fail:
            await self._works(service.label)

    def keep_problems_of(self, urls: Collection[str]) -> None:
        """Forget what is wrong with services of which nothing waits, other than these."""
        for url, lane in list(self._by_url.items()):
            if url not in urls and not lane.waiting and not lane.is_served:
                del self._by_url[url]

    async def keep_going(self) -> None:
        """Serve the lanes beside one another, without end."""
        each = Supervisor(self._problems, forgets=True)
        for lane in self._by_url.values():
            lane.is_served = False  # by a task of before a defect
        try:
            each.keep("processes that send notices", self._rounds.keep_going)
            while True:
                self._news.clear()
                for lane in [one for one in self._by_url.values() if one.waiting and not one.is_served]:
                    lane.is_served = True
                    # With a number, and without its place: /readyz shows it to everybody.
                    name = f"notices for {lane.service.scheme}, {next(self._numbers)}"
                    each.keep(name, partial(self._serve, lane))
                await self._news.wait()
        finally:
            await each.stop()

    async def _serve(self, lane: Lane) -> None:
        """Until nothing waits. It is served until then: a defect lets it wait for the supervisor's next try."""
        try:
            while lane.waiting:
                await self._until_taken(lane)
        except Exception:
            await self._give_up(lane, self._too_old(lane))
            raise
        lane.is_served = False
        if not lane.why and self._by_url.get(lane.service.url) is lane:
            del self._by_url[lane.service.url]

    def _too_old(self, lane: Lane) -> list[Notice]:
        return [one for one in lane.waiting if self._now() - one.queued_at > GIVEN_UP_AFTER]

    async def _until_taken(self, lane: Lane) -> None:
        """Until what waits is taken, refused or given up. Each try takes along what came meanwhile."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(NotTaken),
                wait=wait_exponential_jitter(
                    multiplier=self._first_pause_s, max=LONGEST_PAUSE_S, jitter=self._first_pause_s
                ),
                reraise=True,
            ):
                with attempt:
                    await self._once_more(lane)
        except Refused as refused:
            await self._give_up(lane, refused.notices)

    async def _once_more(self, lane: Lane) -> None:
        """Raises Refused, and NotTaken if something is to be tried again."""
        try:
            await self._once(lane)
        except NotTaken:
            await self._give_up(lane, self._too_old(lane))
            if lane.waiting:
                raise

    async def _give_up(self, lane: Lane, given_up: list[Notice]) -> None:
        given_up = [one for one in given_up if one in lane.waiting]
        if not given_up:
            return
        lane.waiting = [one for one in lane.waiting if one not in given_up]
        lane.dropped += len(given_up)
        self.total.update((one.app, Fate.DROPPED) for one in given_up)
        log.warning("notices dropped", service=lane.service.label, notices=len(given_up), why=lane.why)
        await self._done(lane.service, given_up)

    async def _move(self, lane: Lane) -> None:
        """Its URL is in no file any more. What cannot be moved now waits here for the next try."""
        lane.why = ""
        self._by_url.pop(lane.service.url, None)  # it may be in a file again by now, and gets a lane of its own then
        try:
            for notice in list(lane.waiting):
                await self._elsewhere(notice)
                lane.waiting = [one for one in lane.waiting if one.id != notice.id]
        finally:
            if lane.waiting:
                self._by_url.setdefault(lane.service.url, lane)

    async def _once(self, lane: Lane) -> None:
        """Raises NotTaken or Refused."""
        if not await self._is_configured(lane.service):
            await self._move(lane)
            return
        batch = lane.waiting[: lane.most_together]
        if not batch:
            return
        dropped = lane.dropped
        messages = _messages(batch, dropped)
        answer = await self._rounds.send(Parcel(lane.service.url, messages), is_slow=bool(lane.why))
        taken = batch if answer.is_well else batch[: answer.taken] if len(messages) == len(batch) else []
        if taken:
            lane.dropped -= dropped + sum(one not in lane.waiting for one in taken)  # dropped meanwhile, but taken
            lane.waiting = [one for one in lane.waiting if one not in taken]
            self.total.update((one.app, Fate.TAKEN) for one in taken)
            await self._done(lane.service, taken)
        if answer.is_well:
            await self.took(lane.service)
            return
        if answer.is_refused and not answer.is_of_url and len(messages) < len(batch):
            # The digest alone is refused: its notices are sent in smaller parts, and each by itself in the end.
            lane.most_together = max(1, min(len(batch), MOST_IN_DIGEST) // 2)
            log.warning("notices refused together", service=lane.service.label, notices=len(batch), why=answer.says)
            return
        label, before = lane.service.label, self.failing_before.pop(lane.service.label, None)
        is_new = not lane.why and before is None
        lane.why, lane.since = answer.says, lane.since or before or self._now()
        if is_new:
            again = "It is not tried again." if answer.is_refused else "It is tried again by itself, for six hours."
            await self._failed(label, f"{label} does not take notices: {answer.says}", again)
        if not answer.is_refused:
            raise NotTaken(answer.says)
        failed = batch[len(taken) :][:1] if len(messages) == len(batch) else batch
        raise Refused(list(lane.waiting) if answer.is_of_url else failed)


def _messages(batch: list[Notice], dropped: int) -> tuple[Message, ...]:
    if len(batch) > MOST_SINGLE:
        return (digest_of(batch, dropped),)
    return tuple(message_of(one, dropped if at == 0 else 0) for at, one in enumerate(batch))
