"""Checks in the background: when each app's source is asked, without a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.domain.sentences import sentences
from orchestrator.domain.update import Update
from orchestrator.domain.update_events import CheckFailed, FoundBy
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.supervision import Supervisor
from orchestrator.updates import due
from orchestrator.updates.asked_host import asked_host
from orchestrator.updates.turns import CheckTurns

log = structlog.get_logger()

AGAIN = "The source is asked again at the next check."
LOOK_AGAIN_S = 60.0
"""Where there is no check in the background, what may install itself later is looked at after so many seconds."""


class Checker(Protocol):
    """What the background needs of UpdateChecker."""

    async def ask_by_itself(self, context: AppContext, found_by: FoundBy) -> Update | None: ...

    async def announce(self, app: str, found_by: FoundBy) -> None: ...

    async def install_if_wanted(self, context: AppContext, update: Update, *, is_asked: bool = False) -> bool: ...

    def known(self, app: str) -> Update | None: ...

    def may_ask(self, context: AppContext) -> bool: ...

    def changes_in(self, context: AppContext) -> float | None: ...

    def is_outdated(self, app: str) -> bool: ...


class Pause:
    """The pause between two checks of an app, and what ends it early."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self.asks = False
        """Ask the source again, although the interval has not passed."""

    def end(self, *, ask: bool) -> None:
        self.asks = self.asks or ask
        self._ended.set()

    def begin(self) -> None:
        self.asks = False
        self._ended.clear()

    async def wait(self, seconds: float | None) -> bool:
        """So long, or until it is ended. None: until it is ended. Whether it was ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        self._ended.clear()
        return True


class BackgroundChecks:
    """One task for each app that is followed, kept by the supervisor. A cancel of it, when the app's section `update`
    changes, ends its check."""

    def __init__(
        self,
        checker: Checker,
        turns: CheckTurns,
        events: EventStream,
        supervisor: Supervisor,
        chance: Callable[[], float],
    ) -> None:
        self._checker = checker
        self._turns = turns
        self._events = events
        self._supervisor = supervisor
        self._chance = chance
        self._followed: dict[str, AppContext] = {}
        self._begun: set[str] = set()
        """The apps of which a check has begun since they are followed as they are: one that failed waits no more."""
        self._checked_at: dict[str, float] = {}
        """When the check of an app ended last, by the clock of the loop; not there while one is under way, or must be
        made again. A task that is started again waits for the rest of the interval."""
        self._pauses: dict[str, Pause] = {}

    def follow(self, contexts: list[AppContext]) -> None:
        """These apps, as far as their updates are on, and no others."""
        before = self._followed
        self._followed = {context.name: context for context in contexts if context.config.update.enabled}
        for name in set(before) - set(self._followed):
            self._supervisor.drop(_task(name))
            self._pauses.pop(name, None)
        for name, context in self._followed.items():
            is_same = name in before and before[name].config.update == context.config.update
            if not is_same or _task(name) not in self._supervisor.names():
                self._begun.discard(name)
                self._checked_at.pop(name, None)
                self._supervisor.keep(_task(name), partial(self._keep_checking, name))

    def ask_soon(self, app: str) -> None:
        """Ask its source without waiting for the interval, if it is asked in the background at all."""
        if app in self._pauses:
            self._pauses[app].end(ask=True)

    def look_again(self, app: str) -> None:
        """Something else was found: it may install itself at another time."""
        if app in self._pauses:
            self._pauses[app].end(ask=False)

    async def _keep_checking(self, app: str) -> None:
        policy = self._followed[app].config.update
        pause = self._pauses[app] = Pause()
        is_first = app not in self._begun
        found_by = FoundBy.START if is_first and policy.check_on_startup else FoundBy.BACKGROUND
        if is_first and not policy.check_on_startup:
            # Once it is asked in any case: what was released while nobody listened would never be known.
            await self._pass_time(app, pause, asyncio.get_running_loop().time() + policy.background_check.interval)
        elif app in self._checked_at:  # an error ended this task after the source had been asked
            await self._act_on_known(app, is_asked=True)
            if not await self._until_next(app, pause):
                return
        while True:
            await self._check(app, pause, found_by)
            found_by = FoundBy.BACKGROUND
            if not await self._until_next(app, pause):
                return

    async def _check(self, app: str, pause: Pause, found_by: FoundBy) -> None:
        """Check, and deploy what is found if that is wanted. A source's failure is published.

        Raises JournalError, which cannot be published: the supervisor tries again soon.
        """
        self._checked_at.pop(app, None)
        try:
            async with self._turns.in_background(asked_host(self._followed[app].config.update)):
                self._begun.add(app)
                pause.begin()
                context = self._followed[app]
                may_ask = self._checker.may_ask(context)
                update = await self._checker.ask_by_itself(context, found_by) if may_ask else None
        except JournalError:
            raise
        except ChangeoverError as error:
            is_next = due.next_check_in(self._followed[app].config.update, 0.0) is not None
            remedy = sentences(error.remedy, AGAIN if is_next else "")
            await self._events.publish(CheckFailed(error.cause, remedy), app)
            log.warning("update check failed", app=app, cause=error.cause)
            self._has_checked(app)
            return
        self._has_checked(app)
        if update:
            await self._install(app, update)
        if may_ask and self._checker.is_outdated(app):
            pause.end(ask=True)  # another release became live during the check

    def _has_checked(self, app: str) -> None:
        self._checked_at[app] = asyncio.get_running_loop().time()

    async def _until_next(self, app: str, pause: Pause) -> bool:
        """Wait until the source is to be asked again. Meanwhile, what is known installs itself when it may. False if
        the source is not asked again, and nothing can install itself later."""
        policy = self._followed[app].config.update
        interval = due.next_check_in(policy, self._chance())
        if interval is None and not (policy.auto_update and (policy.window or policy.minimum_age)):
            return False
        await self._pass_time(app, pause, None if interval is None else self._checked_at[app] + interval)
        return True

    async def _pass_time(self, app: str, pause: Pause, ends: float | None) -> None:
        """Until `ends`, by the clock of the loop, or until the source is to be asked earlier; for ever with None. What
        is known installs itself meanwhile."""
        clock = asyncio.get_running_loop().time
        while ends is None or (clock() < ends and not pause.asks):
            rest = LOOK_AGAIN_S if ends is None else ends - clock()
            changes_in = self._checker.changes_in(self._followed[app])
            is_asked = await pause.wait(rest if changes_in is None else min(rest, max(changes_in, 0.0)))
            if ends is None or (clock() < ends and not pause.asks):
                await self._act_on_known(app, is_asked=is_asked)

    async def _act_on_known(self, app: str, *, is_asked: bool) -> None:
        """`is_asked`: because somebody checked, and not because time has passed."""
        if update := self._checker.known(app):
            await self._checker.announce(app, FoundBy.BACKGROUND)
            await self._install(app, update, is_asked=is_asked)

    async def _install(self, app: str, update: Update, *, is_asked: bool = False) -> None:
        """Deploy it by itself, if that is wanted now. That the scheduler takes no deployment, such as before the app is
        recovered, is no failure of the check: the next one asks again. Raises JournalError."""
        try:
            await self._checker.install_if_wanted(self._followed[app], update, is_asked=is_asked)
        except JournalError:
            raise
        except ChangeoverError as error:
            log.warning("update not installed by itself", app=app, version=update.release.version, cause=error.cause)


def _task(name: str) -> str:
    return f"update check of {name}"
