"""A lane: the work of one app that is queued or under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.apps.context import AppContext
from orchestrator.deploy.switch_outcome import is_being_undone, may_be_cancelled
from orchestrator.domain.deployment import Deployment, Interrupter, Kind, State
from orchestrator.errors import Refused

RECOVERED_WITHIN_S = 10.0
TRY_ENDS_WITHIN_S = 10.0
RETIRES = "its old colour is being retired"


def _if_that_lasts(deployment: Deployment) -> str:
    return f"If that lasts, see what it waits for: changeover events --deployment {deployment.id}"


def has_ended(deployment: Deployment) -> Refused:
    """Why it cannot be cancelled any more, and what can be done instead."""
    goes_back = deployment.kind is Kind.DEPLOY and deployment.state is State.LIVE
    return Refused(
        f"Deployment {deployment.id} cannot be cancelled: it has ended as {deployment.state}.",
        f"To go back to the release before: changeover rollback {deployment.app}"
        if goes_back
        else f"What it did: changeover show {deployment.id}",
    )


def _what_to_do(running: Deployment) -> str:
    if is_being_undone(running):
        return f"It has failed, and what it did is being undone: wait until it has ended. {_if_that_lasts(running)}"
    if may_be_cancelled(running):
        return f"Wait until it has ended, or cancel it: changeover cancel {running.id}"
    return f"It is switching traffic: wait until it has ended. {_if_that_lasts(running)}"


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


class Turn(asyncio.Lock):
    """The right to change an app. It counts as locked while somebody waits for it, too: what has ended has given it on
    by then, and who comes in between would wait for all that begins next."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted = 0

    async def acquire(self) -> Literal[True]:
        self._wanted += 1
        try:
            return await super().acquire()
        finally:
            self._wanted -= 1

    def locked(self) -> bool:
        return super().locked() or self._wanted > 0


@dataclass
class Lane:
    """The work of one app: the queued deployment, the running one, and the retiring of what is left after one.

    A deployment, a rollback and a restore lock `turn` while they run. `work` is the task that runs `running`; a cancel
    cancels that task. `queue` is the task that starts queued deployments. Nothing begins before the app is `recovered`.
    What is asked of the lane (a request, a cancel) holds `asking`, because it waits for the journal in between.
    """

    waiting: Deployment | None = None
    running: Deployment | None = None
    work: asyncio.Task[Deployment] | None = None
    cancelling: bool = False
    recovered: asyncio.Event = field(default_factory=_set)
    queue: asyncio.Task[None] | None = None
    retiring: asyncio.Task[None] | None = None
    drains: str = ""
    """For a deployment that waits for `retiring`: what is done, such as what is drained and how long that takes at
    most."""
    retires: str = RETIRES
    turn: Turn = field(default_factory=Turn)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """All tasks of the app; the innermost first."""
        return [task for task in (self.work, self.queue, self.retiring) if task]

    async def until_idle(self) -> None:
        """Cancel all tasks, and wait until they and whoever has the turn have ended. Nothing may begin meanwhile."""
        while (under_way := [task for task in self.tasks if not task.done()]) or self.turn.locked():
            for task in under_way:
                task.cancel()
            if under_way:
                await asyncio.wait(under_way)
            else:
                async with self.turn:  # a rollback that is just beginning: it has no task yet
                    continue

    @property
    def is_retiring(self) -> bool:
        return self.retiring is not None and not self.retiring.done()

    @property
    def doing(self) -> str:
        """What is queued or under way, for people; empty if nothing is."""
        if self.running:
            return f"{self.running.kind_in_words} {self.running.id} is running"
        if self.waiting:
            return f"{self.waiting.kind_in_words} {self.waiting.id} is queued"
        if self.is_retiring:
            return self.retires
        return "it is being rolled back, restored or recovered" if self.turn.locked() else ""

    def interrupter(self) -> Interrupter:
        """Whose cancel it is that ends the work under way: a person's, or else that of a stop of the orchestrator."""
        return Interrupter.PERSON if self.cancelling else Interrupter.STOP

    def tend(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Start work on the standby, unless something of the app runs. A rollback cancels it, a deployment waits."""
        if self.turn.locked() or self.is_retiring:
            return False
        self.afterwards("The standby is being paused, or stopped, as it is configured.", work())
        return True

    def afterwards(self, says: str, work: Coroutine[Any, Any, None], doing: str = RETIRES) -> None:
        """Start what follows the end of a deployment. `says`: what one that waits for it is told; `doing`: what
        is under way, within a sentence."""
        self.drains, self.retires = says, doing
        self.retiring = asyncio.create_task(work)

    def will_run(self, deployment: Deployment) -> bool:
        """Whether a queued deployment is known to the lane, or will be after recovery."""
        return not self.recovered.is_set() or self.has(deployment)

    def has(self, deployment: Deployment) -> bool:
        """Whether it is queued here, or runs."""
        return deployment.id in {one.id for one in (self.waiting, self.running) if one}

    def has_newer(self, deployment: Deployment) -> bool:
        """Whether something is queued or runs that was requested after this deployment."""
        return any(one.number > deployment.number for one in (self.waiting, self.running) if one)

    def refuse_if_busy(self, context: AppContext) -> None:
        """Raises Refused if something else of the app runs, or if nothing may begin; JournalError."""
        app = context.name
        self.refuse_unrecovered(app)
        if not self.turn.locked():
            return
        if self.running is None:
            raise Refused(f"{app} is busy: {self.doing}.", "Wait until that has ended.")
        running = context.journal.deployment(self.running.id)
        raise Refused(
            f"{running.kind_in_words.capitalize()} {running.id} of {app} is running, requested at "
            f"{running.requested_at:%H:%M:%S} UTC by {running.requested_by}.",
            _what_to_do(running),
        )

    @asynccontextmanager
    async def turn_after_recovery(self, context: AppContext) -> AsyncIterator[None]:
        """Have the turn, before whatever asks for it later. If it is tried to bring the app back, wait a moment: what
        is asked for may be the remedy. Raises as `refuse_if_busy`."""
        try:
            async with asyncio.timeout(TRY_ENDS_WITHIN_S if self.running is None else 0):
                await self.turn.acquire()
        except TimeoutError:
            self.refuse_if_busy(context)
            await self.turn.acquire()  # at once: what had it has ended by now, and nobody waits
        try:
            self.refuse_unrecovered(context.name)
            yield
        finally:
            self.turn.release()

    async def until_recovered(self, app: str) -> None:
        """Wait a moment: an app that was just configured is recovered as soon as the proxy has its route.

        Raises Refused after that.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(RECOVERED_WITHIN_S):
                await self.recovered.wait()
        self.refuse_unrecovered(app)

    def refuse_unrecovered(self, app: str) -> None:
        """Raises Refused before the app is recovered."""
        if not self.recovered.is_set():
            raise Refused(
                f"{app} is not recovered yet: what was interrupted at the last stop of the orchestrator is not undone.",
                "See the cause: changeover doctor. Recovery is tried again until it succeeds.",
            )

    def cancel_running(self, deployment: Deployment) -> None:
        """Cancel what runs. Raises Refused when it is being cancelled or undone, or its step switch has begun."""
        assert self.work is not None
        if self.cancelling:
            raise Refused(
                f"Deployment {deployment.id} is being cancelled already.", "Wait until what it did is undone."
            )
        if is_being_undone(deployment):
            raise Refused(
                f"Deployment {deployment.id} cannot be cancelled: it has failed, and what it did is being undone.",
                f"Wait until it has ended. {_if_that_lasts(deployment)}",
            )
        if not may_be_cancelled(deployment):
            raise Refused(
                f"Deployment {deployment.id} cannot be cancelled: it is switching traffic.",
                f"When it is live, changeover status {deployment.app} says what a rollback would go to. "
                f"{_if_that_lasts(deployment)}",
            )
        self.cancelling = True
        self.work.cancel()
