"""Tells people by services of Apprise what became of deployments, updates and checks; never in a deployment's way."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from border.secrets import Secrets
from orchestrator.clock import now
from orchestrator.config.notify_schema import Notify
from orchestrator.config.notify_urls import ServiceUrl, ServiceUrls
from orchestrator.config.schema import Config
from orchestrator.domain.counted import counted
from orchestrator.domain.events import Occurrence
from orchestrator.domain.notice import Notice, NoticeFailed, NoticesTaken
from orchestrator.domain.update_events import CheckFailed
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal
from orchestrator.notices.courier import Courier, Rounds
from orchestrator.notices.heard_event import Incoming
from orchestrator.notices.hourly_limit import MOST_OF_APP, HourlyLimit
from orchestrator.notices.lanes import FIRST_PAUSE_S, Fate, Lanes, NotTaken
from orchestrator.notices.made_of import Making
from orchestrator.notices.muted import is_muted
from orchestrator.notices.texts import TOLD
from orchestrator.notices.url_files import UrlFiles, together
from orchestrator.settings import Settings
from orchestrator.supervision import Problem, Supervisor

log = structlog.get_logger()

MOST_INCOMING = 500
"""So many events wait to be made into notices, should the journal not answer."""
TOLD_WITHIN = timedelta(days=1)
"""What waited longer than this for a start, or for URLs that can be read, is not told any more."""
LOOK_AGAIN_S = 60.0
"""So often the files of notices are read again of which no URL could be read."""
LAST_WITHIN_S = 3.0
CORRECT_FILE = "Correct the file. It is read again for the next notice. Try it: changeover notify test"


class Notices:
    """Implements Notifier. What an event says is queued in the journal, and sent by a task of the supervisor.

    Used on the event loop alone. What waits at a stop is sent by the next start, to those services that do not have it.
    """

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        config: Callable[[], Config],
        settings: Settings,
        known_secrets: Secrets,
        courier: Courier | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        look_again_s: float = LOOK_AGAIN_S,
        clock: Callable[[], datetime] = now,
        problems: dict[str, Problem] | None = None,
    ) -> None:
        self._problems = problems
        self._journal, self._events, self._config = journal, events, config
        self._made = Making(journal, config, settings.public_url, known_secrets, clock)
        self._files = UrlFiles(settings.config.parent, known_secrets)
        self._look_again_s, self._now = look_again_s, clock
        self.courier = courier or Courier(known_secrets)
        told = (self._is_configured, self._done, self._failed, lambda one: self._publish(NoticesTaken(one)), self._send)
        self.lanes = Lanes(Rounds(self.courier), *told, first_pause_s, clock, problems)
        self._has_begun = False
        self._incoming: deque[Incoming] = deque()
        self._news = asyncio.Event()
        self._open: dict[int, set[str]] = {}
        """By the id of each notice that waits: the URLs that it waits for."""
        self._taken: dict[int, dict[str, str]] = {}
        """By the id: the URLs that have it, each with its place then. The lines of a file may be moved meanwhile."""
        self._partly, self._over = set[int](), set[int]()
        """The ids of those that some services have, or all, which the journal does not know yet."""
        self._unread: dict[int, Notice] = {}
        """By id: the notices of which no URL could be read. They wait in no lane."""
        self._limit = HourlyLimit()

    # Events

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Take note of an event. Whether somebody is told of it is decided beside whoever published it."""
        if not isinstance(happened, TOLD) or not app:
            return
        if len(self._incoming) >= MOST_INCOMING:
            self.lanes.total[app, Fate.DROPPED] += 1
            log.warning("notice dropped: too many wait", app=app, kind=str(happened.kind))
            return
        self._incoming.append(Incoming(happened, app, deployment, self._now()))
        self._news.set()

    async def keep_sending(self) -> None:
        """Queue and send what events say, without end. What was queued before a start comes first."""
        each = Supervisor(self._problems)
        try:
            each.keep("sending of notices", self.lanes.keep_going)
            each.keep("making of notices", self._keep_queueing)
            await asyncio.Event().wait()
        finally:
            await each.stop()

    async def _keep_queueing(self) -> None:
        """Raises JournalError: then it begins again. What is being sent goes on meanwhile."""
        await self._begin_again()
        while True:
            self._news.clear()
            await self._record()
            for notice in list(self._unread.values()):
                await self._send_or_log(notice)
            while self._incoming:
                await to_its_end(self._queue_first())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_again_s if self._unread else None):
                    await self._news.wait()

    async def queue_the_rest(self) -> None:
        """At a stop, when `keep_sending` has ended: what the stop itself interrupted is told by the next start."""
        try:
            async with asyncio.timeout(LAST_WITHIN_S):
                while self._incoming:
                    await self._queue_first()
        except (JournalError, TimeoutError):
            log.exception("notices of what the stop ended are not recorded", notices=len(self._incoming))

    async def _begin_again(self) -> None:
        """What the journal has and no lane knows."""
        if not self._has_begun:
            self.lanes.failing_before = await self._journal.beside(self._journal.failing_services)
            self._has_begun = True
        await self._journal.beside(self._journal.forget_failing_checks, self._config().all_apps())
        known = self._over | set(self._open)  # a service may take one while the journal is read
        for notice in await self._journal.beside(self._journal.waiting_notices):
            if notice.id not in known:
                await self._send_or_log(notice)

    async def _send_or_log(self, notice: Notice) -> None:
        """As `_send`. One that a defect keeps from being sent keeps no other waiting: the next start tries it again."""
        try:
            await self._send(notice)
        except JournalError:
            raise
        except Exception:
            log.exception("notice not sent", app=notice.app, kind=str(notice.kind))

    async def _queue_first(self) -> None:
        """Raises JournalError; then it is tried again. An event that nothing can be made of keeps no other waiting."""
        notice = None
        try:
            notice = await self._queued(self._incoming[0])
        except JournalError:
            raise
        except Exception:
            log.exception("no notice made of an event", kind=str(self._incoming[0].happened.kind))
        self._incoming.popleft()
        if notice:
            await self._send_or_log(notice)

    async def _queued(self, one: Incoming) -> Notice | None:
        """The notice of an event, as the journal has it. Raises JournalError; then it is tried again."""
        try:
            notice, told = await self._made.notice_of(one.happened, one.app, one.deployment, one.at)
        except JournalError:
            raise
        except ChangeoverError as error:  # such as a deployment that is not kept any more
            log.warning("no notice made of an event", app=one.app, kind=str(one.happened.kind), cause=error.cause)
            return None
        begins_to_fail = isinstance(one.happened, CheckFailed)
        if notice is None:
            return None
        muted = bool(self._told(notice)) and await is_muted(notice, self._journal, self._events)
        if muted:
            self.lanes.total[notice.app, Fate.MUTED] += 1
        if muted or not self._told(notice) or not self._limit.allows(notice.app, notice.queued_at):
            if begins_to_fail:
                await self._journal.beside(self._journal.check_failed, one.app)
            return None
        if left_out := self._limit.left_out[notice.app]:
            says = f"{counted(left_out, 'notice')} of {notice.app} left out: more than {MOST_OF_APP} within an hour."
            notice = replace(notice, body=f"{notice.body}\n{says}")
        queued = await self._journal.beside(self._journal.queue_notice, notice, told, begins_to_fail=begins_to_fail)
        self._limit.count(notice.app, notice.queued_at)
        return replace(notice, id=queued)

    def _told(self, notice: Notice) -> list[Notify]:
        return [one for one in self._config().told_of(notice.app) if one.tells(notice.kind)]

    # Services

    async def _send(self, notice: Notice) -> None:
        """Let a notice wait for each service that is to have it and does not. Raises JournalError."""
        self._unread.pop(notice.id, None)
        if notice.id not in self._open and notice.queued_at < self._now() - TOLD_WITHIN:
            log.warning("notice dropped: it is too old", app=notice.app, kind=str(notice.kind))
            self.lanes.total[notice.app, Fate.DROPPED] += 1
            await self._forget(notice)
            return
        by_file = await self._files.read([one.url_file for one in self._told(notice)])
        for says in self._files.new_problems(by_file):
            await self._failed("", f"Notices are not sent: {says}", CORRECT_FILE)
        found, taken = together(by_file), self._taken.get(notice.id, dict(zip(notice.taken, notice.taken, strict=True)))
        wanted = [one for one in found.urls if one.url not in taken and one.place not in notice.taken]
        if not wanted and found.problems and len(self._unread) < MOST_INCOMING:  # somebody may be editing the file
            self._open.pop(notice.id, None)
            self._unread[notice.id] = notice
            return
        if not wanted:
            await self._forget(notice)
            return
        self._open[notice.id], self._taken[notice.id] = {one.url for one in wanted}, taken
        for service in wanted:
            if dropped := self.lanes.add(service, notice):
                await self._done(service, [dropped])

    async def _forget(self, notice: Notice) -> None:
        """Raises JournalError; then it waits as before, and it is not forgotten who has it."""
        await self._journal.beside(self._journal.forget_notices, [notice.id])
        self._waits_no_more(notice.id)

    def _waits_no_more(self, id: int) -> None:
        self._partly.discard(id)
        self._open.pop(id, None)
        self._taken.pop(id, None)

    async def current(self, app: str | None = None) -> ServiceUrls:
        """All services that are told something now, or those that are told something of one app."""
        config = self._config()
        apps = config.all_apps() if app is None else (app,)
        files = [one.url_file for name in apps for one in config.told_of(name)]
        found = together(await self._files.read(files))
        if app is None:
            self.lanes.keep_problems_of({one.url for one in found.urls})
        return found

    async def _is_configured(self, service: ServiceUrl) -> bool:
        found = await self.current()
        is_there = any(one.url == service.url for one in found.urls)
        if found.problems and not is_there:
            # Somebody may be editing the file. Without its URL nothing is sent, and nothing is given up yet.
            raise NotTaken(" ".join(found.problems))
        return is_there

    async def _done(self, service: ServiceUrl, notices: list[Notice]) -> None:
        """A service has these, or never will. While the journal is away, that is remembered, and recorded later."""
        for notice in notices:
            waits_for = self._open.get(notice.id, set())
            waits_for.discard(service.url)
            self._taken.setdefault(notice.id, {})[service.url] = service.place
            if waits_for:
                self._partly.add(notice.id)
            else:
                self._over.add(notice.id)
                self._waits_no_more(notice.id)
        try:
            await self._record()
        except JournalError as error:
            log.warning("it is not recorded which notices are told", cause=error.cause)
            self._news.set()

    async def _record(self) -> None:
        """What services have, as far as the journal does not know it. Raises JournalError."""
        if partly := {id: tuple(self._taken[id].values()) for id in self._partly}:
            await self._journal.beside(self._journal.notices_taken, partly)
            self._partly -= {id for id, taken in partly.items() if len(self._taken.get(id, ())) == len(taken)}
        if over := sorted(self._over):
            await self._journal.beside(self._journal.forget_notices, over)
            self._over.difference_update(over)

    async def _failed(self, service: str, cause: str, remedy: str) -> None:
        log.warning("notices not taken", cause=cause)
        await self._publish(NoticeFailed(cause, remedy, service))

    async def _publish(self, happened: Occurrence) -> None:
        try:
            await self._events.publish(happened)
        except JournalError as error:
            log.warning("event not recorded", cause=error.cause)

    def problems(self) -> list[tuple[str, datetime | None]]:
        """Services that do not take notices, each with why and since when."""
        return [(lane.says, lane.since) for lane in self.lanes.failing()]

    @property
    def waiting(self) -> Counter[str]:
        """By app: how many are not sent yet, one for each service."""
        unsent = Counter(one.app for one in self._incoming) + Counter(one.app for one in self._unread.values())
        return self.lanes.waiting + unsent
