"""The update checker: checks at start, in the background, and on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import Slots, State
from orchestrator.domain.events import CheckFailed, Dismissed, UpdateFound
from orchestrator.domain.release import Update
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal
from orchestrator.supervision import Supervisor

log = structlog.get_logger()

DISMISSED_FOR = timedelta(hours=24)
MOST_TRIES = 3
"""How often a revision that fails is deployed by `auto_update`; after that, only on request."""


class UpdateChecker:
    """Keeps the update that was found last, per app. A dismissed update is not shown for 24 hours."""

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        scheduler: Scheduler,
        supervisor: Supervisor,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._journal = journal
        self._events = events
        self._scheduler = scheduler
        self._now = clock
        self._found: dict[str, Update | None] = {}
        self._dismissed: dict[tuple[str, str], datetime] = {}
        # A release becomes live by a change of the slots, so the cached history is valid while they are the same.
        self._were_live: dict[str, tuple[Slots, frozenset[str]]] = {}
        self._supervisor = supervisor
        self._followed: dict[str, AppContext] = {}

    def follow(self, contexts: list[AppContext]) -> None:
        """Check these apps in the background, each at its own interval, and no others.

        An app whose context is the same as before goes on as it is.
        """
        wanted = {context.name: context for context in contexts if context.config.update.enabled}
        for name in set(self._followed) - set(wanted):
            self._supervisor.drop(_task(name))
        for name, context in wanted.items():
            if self._followed.get(name) is not context:
                self._supervisor.keep(_task(name), partial(self._keep_checking, context))
        self._followed = wanted

    def known(self, app: str) -> Update | None:
        """The update that the last check found; None if it was live before or is dismissed. Raises JournalError."""
        update = self._found.get(app)
        if update is None or update.release.source_revision in self._not_to_be_offered(app):
            return None
        dismissed = self._dismissed.get((app, update.release.source_revision))
        return None if dismissed and self._now() - dismissed < DISMISSED_FOR else update

    async def check(self, context: AppContext) -> Update | None:
        """Ask the source now. None if the newest release is or was live. Raises StepFailed or JournalError."""
        newest = await context.source.newest()
        if newest.release.source_revision in self._not_to_be_offered(context.name):
            self._found[context.name] = None
            return None
        live = self._live_revision(context.name)
        known = self._found.get(context.name)
        changes = await context.source.changes(live, newest.release.source_revision)
        update = Update(newest.release, changes, newest.released_at, self._now(), await context.source.origin())
        self._found[context.name] = update
        if known is None or known.release.source_revision != newest.release.source_revision:
            self._events.publish(UpdateFound(newest.release.version), context.name)
        return update

    def dismiss(self, app: str) -> Update | None:
        """Do not show the known update for 24 hours. Returns it, or None if there is none."""
        update = self.known(app)
        if update:
            self._dismissed[app, update.release.source_revision] = self._now()
            self._events.publish(Dismissed(update.release.version), app)
        return update

    def _not_to_be_offered(self, app: str) -> frozenset[str]:
        """The source revisions that are or were live; also those that were rolled back are not offered again."""
        slots = self._journal.slots(app)
        known = self._were_live.get(app)
        if known is None or known[0] != slots:
            history = self._journal.deployments(app)
            revisions = frozenset(one.release.source_revision for one in history if one.release and one.live_at)
            known = self._were_live[app] = (slots, revisions)
        return known[1]

    def _live_revision(self, app: str) -> str:
        slots = self._journal.slots(app)
        release = self._journal.deployment(slots.active).release if slots.active else None
        return release.source_revision if release else ""

    def _is_worth_a_try(self, app: str, update: Update) -> bool:
        """Whether to deploy it without being asked: something is live, the app is not busy, and nobody cancelled this
        revision, nor has it failed MOST_TRIES times."""
        if not self._live_revision(app) or self._scheduler.busy_with(app):
            return False
        wanted = update.release.source_revision
        tries = [one for one in self._journal.deployments(app) if one.release and one.release.source_revision == wanted]
        ends = [one.state for one in tries]
        return State.CANCELLED not in ends and ends.count(State.FAILED) < MOST_TRIES

    async def _keep_checking(self, context: AppContext) -> None:
        policy = context.config.update
        if not policy.check_on_startup:
            if not policy.background_check.enabled:
                return
            await asyncio.sleep(policy.background_check.interval)
        while True:
            try:
                update = await self.check(context)
                if update and policy.auto_update and self._is_worth_a_try(context.name, update):
                    self._scheduler.request(context.name, ref=update.release.source_revision, by="auto_update")
            except JournalError:
                # The journal cannot record the failure either: the supervisor tries again soon.
                raise
            except ChangeoverError as error:
                self._events.publish(CheckFailed(error.cause, error.remedy), context.name)
                log.warning("update check failed", app=context.name, cause=error.cause)
            if not policy.background_check.enabled:
                return
            await asyncio.sleep(policy.background_check.interval)


def _task(app: str) -> str:
    return f"update check of {app}"
