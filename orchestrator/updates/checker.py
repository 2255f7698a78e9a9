"""The update checker: checks at start, in the background, and on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed, now
from orchestrator.config.section import Section
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.by_hand import is_by_hand
from orchestrator.domain.events import CheckFailed, Dismissed, EventKind, Occurrence, UpdateFound
from orchestrator.domain.push_check import Head
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import checks_between_tries, may_be_offered, may_install_itself
from orchestrator.domain.update import Update
from orchestrator.errors import ChangeoverError, JournalError, Refused
from orchestrator.events.stream import EventStream
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.journal.store import Journal
from orchestrator.sources.base import Source
from orchestrator.supervision import Supervisor
from orchestrator.updates.expected import expected_of
from orchestrator.updates.held_back import HeldBack, older, why_held_back
from orchestrator.updates.order import comes_before, is_known_to_be_newer

log = structlog.get_logger()

DISMISSED_FOR_S = 24 * 3600.0
AT_ONCE = 4
"""So many sources are asked at the same time by checks in the background: at a start all of them are due."""


class UpdateChecker:
    """Keeps the update that was found last, per app. A dismissed update is not shown for 24 hours."""

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        scheduler: Scheduler,
        supervisor: Supervisor,
        clock: Callable[[], datetime] = now,
        elapsed: Callable[[], float] = elapsed,
    ) -> None:
        self._journal = journal
        self._events = events
        self._scheduler = scheduler
        self._now = clock
        self._elapsed = elapsed
        self._found: dict[str, Update | None] = {}
        self._newer_than: dict[str, frozenset[str]] = {}
        """By app: the source revisions than which the update that was found is known to be newer."""
        self._dismissed: dict[tuple[str, str], float] = {}
        self._older: dict[str, HeldBack | None] = {}
        self._waited: dict[tuple[str, str], int] = {}
        self._questions: dict[str, tuple[Source, SharedQuestion[Update | None]]] = {}
        """By app, with the source that is asked."""
        self._supervisor = supervisor
        self._followed: dict[str, AppContext] = {}
        self._sources: dict[str, Section | None] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._begun: set[str] = set()
        """The apps of which a check has begun since they are followed as they are: one that failed waits no more."""
        self._asked_at: dict[str, float] = {}
        """By app: when its source was asked last, as `elapsed` counts."""
        self._soon: dict[str, asyncio.Event] = {}
        """By app: set when the next check is due before its interval has passed."""

    def follow(self, contexts: list[AppContext]) -> None:
        """Check these apps in the background, each at its own interval, and no others.

        An app whose section `update` is the same as before goes on as it is, also with a check that is under way. What
        was found in another source than an app has now is forgotten.
        """
        before = self._followed
        sources = {one.name: _source_of(one) for one in contexts}
        for name in [one for one in {*self._sources, *sources} if sources.get(one) != self._sources.get(one)]:
            self._found.pop(name, None)
            self._older.pop(name, None)
            self._asked_at.pop(name, None)
        self._sources = sources
        self._followed = {context.name: context for context in contexts if context.config.update.enabled}
        for name in set(before) - set(self._followed):
            self._supervisor.drop(_task(name))
        for name, context in self._followed.items():
            is_same = name in before and before[name].config.update == context.config.update
            if not is_same or _task(name) not in self._supervisor.names():
                self._begun.discard(name)
                self._supervisor.keep(_task(name), partial(self._keep_checking, name))

    def known(self, app: str) -> Update | None:
        """The update that the last check found; None if it may not be offered or is dismissed, or if a release is live
        since then that may be newer. Raises JournalError."""
        update = self._found.get(app)
        if update is None or not may_be_offered(self._journal.attempts(app), update.release.source_revision):
            return None
        if self._is_outdated(app):
            return None
        dismissed = self._dismissed.get((app, update.release.source_revision))
        return None if dismissed is not None and self._elapsed() - dismissed < DISMISSED_FOR_S else update

    def held_back(self, app: str) -> HeldBack | None:
        """Why the release that the last check found is not offered; None if it is, or is live, or if a release is live
        since then that may be newer. Raises JournalError."""
        update = self._found.get(app)
        if update is None or update.release.source_revision == self._live_revision(app) or self._is_outdated(app):
            return self._older.get(app)
        return why_held_back(app, update.release, self._journal.attempts(app))

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier: check again soon if the release that is live now was not known at the last check."""
        if happened.kind is EventKind.LIVE and app in self._soon and self._is_outdated(app):
            self._soon[app].set()

    async def check(self, context: AppContext) -> Update | None:
        """Ask the source now. None if its newest release may not be offered: it is or was live, it failed, or it is
        older than the one that is live. Raises StepFailed or JournalError, and Refused if the app has got another
        source meanwhile.

        Of many who ask at once, few ask the source: a deployment waits for them.
        """
        known = self._questions.get(context.name)
        if known is None or known[0] is not context.source:
            known = self._questions[context.name] = (context.source, SharedQuestion())
        return await known[1].ask(lambda: self._check(context))

    async def head(self, context: AppContext) -> Head:
        """Ask the source now for what it has, whether that may be offered or not. Raises as `check`."""
        await self.check(context)
        if held := self._older.get(context.name):
            return Head(held.release.source_revision, held.release.version, is_older=True)
        if update := self._found.get(context.name):
            return Head(update.release.source_revision, update.release.version)
        raise Refused(f"The check of {context.name} has no result: its source was changed meanwhile.")

    async def _check(self, context: AppContext) -> Update | None:
        app = context.name
        self._asked_at[app] = self._elapsed()
        newest = await context.source.newest()
        revision, live = newest.release.source_revision, self._live_revision(app)
        were_live = {one.release.source_revision for one in self._journal.attempts(app) if one.was_live and one.release}
        if await self._is_older(context, newest.release):
            self._refuse_if_replaced(context)
            self._found[app], self._older[app] = None, older(app, newest.release, self._live_version(app))
            return None
        known, self._older[app] = self._found.get(app), None
        changelog = await context.source.changelog(live, revision)
        origin, expected = await context.source.origin(), await expected_of(context, self._journal)
        update = Update(newest.release, changelog, newest.released_at, self._now(), origin, expected)
        self._refuse_if_replaced(context)
        offered = may_be_offered(self._journal.attempts(app), revision)
        is_new = known is None or known.release.source_revision != revision
        # What an app's first deployment is making live is no update.
        is_first = not live and self._scheduler.busy_with(app) is not None
        if offered and is_new and not is_first:
            # Before it is known: what could not be told is told by the next check.
            await self._events.publish(UpdateFound(newest.release.version), app)
        self._found[app] = update
        self._newer_than[app] = frozenset(
            {live, revision, *were_live, *(change.revision for change in changelog.changes)}
        )
        return update if offered else None

    async def _is_older(self, context: AppContext, release: Release) -> bool:
        """Whether something else is live, and known to be as new or newer."""
        live = self._live_release(context.name)
        if live is None or live.source_revision == release.source_revision:
            return False
        return comes_before(release, live, context.config.update.ordered_by) or await context.source.is_older(
            release.source_revision, live.source_revision
        )

    def _refuse_if_replaced(self, context: AppContext) -> None:
        source = _source_of(context)
        if self._sources.get(context.name, source) != source:
            raise Refused(
                f"The check of {context.name} has no result: its source was changed meanwhile.",
                f"Check again: changeover check {context.name}",
            )

    async def dismiss(self, app: str) -> Update | None:
        """Do not show the known update for 24 hours. Returns it, or None if there is none."""
        update = self.known(app)
        if update:
            self._dismissed[app, update.release.source_revision] = self._elapsed()
            await self._events.publish(Dismissed(update.release.version), app)
        return update

    def _is_outdated(self, app: str) -> bool:
        """Whether it is not known if the update that was found is newer than what is live now."""
        return self._found.get(app) is not None and self._live_revision(app) not in self._newer_than[app]

    def _live_release(self, app: str) -> Release | None:
        slots = self._journal.slots(app)
        return self._journal.deployment(slots.active).release if slots.active else None

    def _live_revision(self, app: str) -> str:
        release = self._live_release(app)
        return release.source_revision if release else ""

    def _live_version(self, app: str) -> str:
        slots = self._journal.slots(app)
        return self._journal.deployment(slots.active).version if slots.active else ""

    def _is_worth_a_try(self, app: str, update: Update) -> bool:
        """Whether to deploy it without being asked: something is live, the app is not busy, and what is known of the
        release allows it. One that failed for a cause outside of it is tried again at ever fewer checks. What somebody
        deployed by hand is replaced only by what is known to be newer.
        """
        live = self._live_release(app)
        if live is None or self._scheduler.busy_with(app):
            return False
        if is_by_hand(live.source_revision) and not is_known_to_be_newer(update.release, live):
            return False
        attempts, revision = self._journal.attempts(app), update.release.source_revision
        if not may_install_itself(attempts, revision):
            return False
        waited = self._waited.get((app, revision), 0) + 1
        due = waited > checks_between_tries(attempts, revision)
        self._waited[app, revision] = 0 if due else waited
        return due

    async def _keep_checking(self, app: str) -> None:
        policy = self._followed[app].config.update
        soon = self._soon[app] = asyncio.Event()
        if not policy.check_on_startup and app not in self._begun:
            # Once it is asked in any case: what was released while nobody listened would never be known.
            await asyncio.sleep(policy.background_check.interval)
        while True:
            async with self._slots:
                self._begun.add(app)
                soon.clear()
                before = self._found.get(app)
                await self._check_in_background(self._followed[app])
            if self._found.get(app) is not before and self._is_outdated(app):
                soon.set()  # another release became live during the check
            if not policy.background_check.enabled:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(policy.background_check.interval):
                    await soon.wait()

    async def _check_in_background(self, context: AppContext) -> None:
        """Check, and deploy what is found if that is wanted. A source's failure is published.

        Raises JournalError, which cannot be published: the supervisor tries again soon.
        """
        if not self._is_due(context):
            return
        try:
            update = await self.check(context)
            if update and context.config.update.auto_update and self._is_worth_a_try(context.name, update):
                await self._scheduler.request(context.name, ref=update.release.source_revision, by="auto_update")
        except JournalError:
            raise
        except ChangeoverError as error:
            await self._events.publish(CheckFailed(error.cause, error.remedy), context.name)
            log.warning("update check failed", app=context.name, cause=error.cause)

    def _is_due(self, context: AppContext) -> bool:
        """Whether a check in the background may ask the source: not a remote that only people ask, nor one that was
        asked a short time ago."""
        git = context.config.update.repository
        if git is None:
            return True
        asked_at = self._asked_at.get(context.name)
        is_fresh = asked_at is not None and self._elapsed() - asked_at < (git.fetch_interval or 0)
        return git.auto_fetch and not is_fresh


def _source_of(context: AppContext) -> Section | None:
    return context.config.update.followed


def _task(app: str) -> str:
    return f"update check of {app}"
