"""The checks that pushes ask for: each is recorded, carried out beside the answer, and deploys what the source has."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed, now
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.askers import BY_PUSH
from orchestrator.domain.push_check import (
    CheckState,
    Delivery,
    Head,
    PushCheck,
    is_interrupted,
    is_to_deploy,
    under_way,
)
from orchestrator.domain.update_events import CheckFailed
from orchestrator.errors import ChangeoverError, JournalError, UnknownApp
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal
from orchestrator.supervision import Supervisor
from orchestrator.updates.checker import UpdateChecker

log = structlog.get_logger()

SAME_BODY_S = 60.0
"""So long a delivery with the same body is taken for the same push, which joins the check that is under way."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Before the next tries, where a source does not answer: a minute in all. Then the check has failed."""
LOOK_AGAIN_S = 60.0
"""While an app is recovered, so often it is looked whether it is still configured."""
MOST_BODIES = 100
DEFECT = "A defect in Changeover ended this check: the log of the orchestrator has it. Deploy by hand, and report it."


@dataclass
class _Lane:
    """The checks of one app. `asking`: those that are carried out, all by one question; `waiting`: those that come
    next, because they were asked for later.

    `again`: another push has joined those under way; the source is asked once more before they end. `may_join`: they
    have not ended yet. Whoever records a push holds `turn`.
    """

    asking: tuple[PushCheck, ...] = ()
    waiting: tuple[PushCheck, ...] = ()
    bodies: dict[bytes, float] = field(default_factory=dict)
    """Digests of the bodies that asked for those under way, and when."""
    again: bool = False
    may_join: bool = False
    due: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    has_worker: bool = False


class PushCheckRunner:
    """Used on the event loop. One question at a time for each app; nothing is kept in memory alone.

    A push that comes before its app's source is asked joins the check that waits. One that comes later waits for the
    next one, since what was pushed may have been read over already. A stop leaves what waits to the next start. The
    checker says how many sources are asked at a time: a host that stalls keeps no push of another one waiting. The
    check of an app that is being recovered waits for the end of that, however long it takes.
    """

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        scheduler: Scheduler,
        checker: UpdateChecker,
        supervisor: Supervisor,
        context: Callable[[str], AppContext],
    ) -> None:
        self._journal = journal
        self._events = events
        self._scheduler = scheduler
        self._checker = checker
        self._supervisor = supervisor
        self._context = context
        self._lanes: dict[str, _Lane] = {}
        self._to_begin: set[str] = set()
        """The apps with pushes that were recorded, and not begun yet."""

    async def announced(self, delivery: Delivery, body: bytes) -> tuple[PushCheck, bool]:
        """Record a verified push. `body` is a digest of the body. Its check begins with `begin`, which must follow.

        Returns the check, and whether the delivery is new. Raises JournalError.
        """
        lane = self._lanes.setdefault(delivery.app, _Lane())
        async with lane.turn:
            return await to_its_end(self._record(lane, delivery, body))

    def begin(self) -> None:
        """Begin the checks of the pushes that were recorded."""
        while self._to_begin:
            app = self._to_begin.pop()
            lane = self._lanes[app]
            lane.due.set()
            if not lane.has_worker:
                lane.has_worker = True
                self._supervisor.keep(f"pushes of {app}", partial(self._work, app, lane))

    async def resume(self) -> None:
        """Carry out what the process before has not finished, and begin again what its end interrupted: whoever pushed
        was told that the push is taken. Raises JournalError."""
        unfinished = await self._journal.beside(self._journal.unfinished_push_checks)
        for check in [*unfinished, *await self._interrupted()]:
            lane = self._lanes.setdefault(check.app, _Lane())
            if check.id not in {one.id for one in (*lane.asking, *lane.waiting)}:
                self._let_wait(lane, check)
        self.begin()

    async def _interrupted(self) -> list[PushCheck]:
        """The checks whose deployments the end of the process before has interrupted, if nothing came after them."""
        journal = self._journal
        newest = await journal.beside(journal.newest_push_checks)
        return [one for one in newest if one.deployment and is_interrupted(journal.attempts(one.app), one.deployment)]

    async def _record(self, lane: _Lane, delivery: Delivery, body: bytes) -> tuple[PushCheck, bool]:
        joined = self._joined(lane, delivery.app, body)
        check = joined or PushCheck(secrets.token_hex(8), delivery.app, delivery.forge, now())
        recorded, is_new = await self._journal.beside(self._journal.push_arrived, delivery, check)
        if is_new and joined is None:
            self._let_wait(lane, check)
        return recorded, is_new

    def _joined(self, lane: _Lane, app: str, body: bytes) -> PushCheck | None:
        """The check that this push joins: one that waits, or the one under way for the same body."""
        moment = elapsed()
        is_same = moment - lane.bodies.get(body, -SAME_BODY_S) < SAME_BODY_S
        while len(lane.bodies) >= MOST_BODIES:
            del lane.bodies[next(iter(lane.bodies))]
        lane.bodies[body] = moment
        if lane.waiting:
            return lane.waiting[-1]
        if is_same and lane.asking and lane.may_join:
            lane.again = True
            self._to_begin.add(app)
            return lane.asking[-1]
        return None

    def _let_wait(self, lane: _Lane, check: PushCheck) -> None:
        lane.waiting = (*lane.waiting, check)
        self._to_begin.add(check.app)

    async def _work(self, app: str, lane: _Lane) -> None:
        """Carry out checks, for ever. One that could not be recorded is carried out again by the next run."""
        while True:
            if not lane.asking:
                lane.due.clear()
                lane.asking, lane.waiting = lane.waiting, ()
            if lane.asking:
                await self._carry_out(app, lane)
                lane.asking = ()
            else:
                await lane.due.wait()

    async def _carry_out(self, app: str, lane: _Lane) -> None:
        try:
            outcome = await self._outcome(app, lane)
        finally:
            lane.may_join = False
        for check in lane.asking:
            ended = replace(outcome, id=check.id, forge=check.forge, requested_at=check.requested_at)
            await self._journal.beside(self._journal.push_check_ended, ended)
        log.info("push checked", app=app, check=lane.asking[-1].id, outcome=outcome.state, version=outcome.version)

    async def _outcome(self, app: str, lane: _Lane) -> PushCheck:
        """The check as it ended. Raises JournalError: the supervisor tries it again."""
        lane.may_join = True
        check, pauses = lane.asking[-1], iter(PAUSES_S)
        while True:
            lane.again = False
            lane.due.clear()
            try:
                await self._until_recovered(app)
                head = await self._checker.head(self._context(app))
                if lane.again:
                    continue
                lane.may_join = False
                return await self._decided(check, head)
            except JournalError:
                raise
            except UnknownApp as error:
                return replace(check, state=CheckState.FAILED, says=str(error))
            except ChangeoverError as error:
                lane.may_join = True
                if not self._scheduler.lane_of(app).recovered.is_set():
                    continue  # its recovery began meanwhile: that is no failure of the check
                pause = next(pauses, None)
                if pause is None and lane.again:
                    continue  # a push that joined meanwhile has not been asked for
                if pause is None:
                    lane.may_join = False  # nothing is asked any more, while the event is written
                    await self._events.publish(CheckFailed(error.cause, error.remedy), app)
                    return replace(check, state=CheckState.FAILED, says=str(error))
                log.warning("source not asked for a push, it is tried again", app=app, cause=error.cause, in_s=pause)
            except Exception:  # a defect in Changeover: this check has failed, and the next ones are carried out
                log.exception("check of a push failed unexpectedly", app=app, check=check.id)
                return replace(check, state=CheckState.FAILED, says=DEFECT)
            with suppress(TimeoutError):
                # The next push may be the remedy.
                async with asyncio.timeout(pause):
                    await lane.due.wait()

    async def _until_recovered(self, app: str) -> None:
        """Raises UnknownApp when the app is removed from the configuration meanwhile."""
        recovered = self._scheduler.lane_of(app).recovered
        while not recovered.is_set():
            self._context(app)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await recovered.wait()

    async def _decided(self, check: PushCheck, head: Head) -> PushCheck:
        """Deploy what the source has, or say why not. Raises Refused, UnknownApp or JournalError."""
        app, journal = check.app, self._journal
        before = await journal.beside(journal.announced_before, app)
        found = replace(check, revision=head.revision, version=head.version, deployment="")
        attempts, active = journal.attempts(app), self._context(app).active
        live = active.release.source_revision if active and active.release else ""
        if check.deployment and (head.revision == live or not is_interrupted(attempts, check.deployment)):
            return check  # it was finished after all, or something was deployed since
        if head.revision != live and (unwanted := self._checker.unwanted(app)):
            return replace(found, state=CheckState.NOTHING_NEW, says=unwanted.says)
        if not is_to_deploy(head, live, attempts, before):
            now_done = under_way(attempts)
            if now_done and now_done.is_of(head.revision):
                return replace(found, state=CheckState.DEPLOYMENT, deployment=now_done.deployment)
            return replace(found, state=CheckState.NOTHING_NEW, says=self._why_not(app, head, live))
        # The key: a process that was killed after the request has requested it.
        key = f"push-{check.id}{check.deployment}-{head.revision}"[:255]
        slots = journal.slots(app)

        def still() -> bool:
            """What went live while the request waited, as in a recovery, may be what a person has asked for since."""
            return journal.slots(app) == slots

        deployment = await self._scheduler.request(app, head.revision, BY_PUSH, key, still=still)
        return replace(found, state=CheckState.DEPLOYMENT, deployment=deployment.id)

    def _why_not(self, app: str, head: Head, live: str) -> str:
        if head.revision == live:
            return f"{head.version} is live."
        held_back = self._checker.held_back(app)
        return held_back.says if held_back else f"{head.version} is not newer than what is live."
