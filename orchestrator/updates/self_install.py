"""Updates that install themselves (`auto_update`): which ones, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orchestrator.apps.context import AppContext
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.askers import BY_AUTO_UPDATE
from orchestrator.domain.by_hand import is_by_hand
from orchestrator.domain.release_history import checks_between_tries, may_install_itself
from orchestrator.domain.update import Update
from orchestrator.journal.store import Journal
from orchestrator.sources.order import is_known_to_be_newer
from orchestrator.updates import due
from orchestrator.updates.live import live_release

BY_ITSELF = "It installs itself (update.auto_update)."


class SelfInstall:
    """Asks the scheduler for deployments. What failed for a cause outside of it is tried again at ever fewer checks."""

    def __init__(self, journal: Journal, scheduler: Scheduler, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._scheduler = scheduler
        self._now = clock
        self._waited: dict[str, tuple[str, int]] = {}
        """By app: the source revision that waits, and the checks that have passed since it was tried."""

    async def install_if_wanted(self, context: AppContext, update: Update, *, is_asked: bool = False) -> bool:
        """Deploy an update by itself, if the configuration wants that, now. Whether it was asked for.

        `is_asked`: because somebody checked. That counts as no check after which what failed is tried again: whoever
        may read could have it built as often as they ask. Raises Refused and others of the scheduler, and JournalError.
        """
        policy = context.config.update
        wanted = policy.auto_update and due.opens_at(policy, self._now()) is None
        if not wanted or not self._is_worth_a_try(context.name, update, is_asked=is_asked):
            return False
        app, revision, live = context.name, update.release.source_revision, live_release(self._journal, context.name)

        def still() -> bool:
            """What a person has asked for since the check, as while the app was recovered, comes first, and stays."""
            return self._scheduler.busy_with(app) is None and live_release(self._journal, app) == live

        await self._scheduler.request(app, ref=revision, by=BY_AUTO_UPDATE, still=still)
        return True

    def waits(self, app: str, policy: UpdatePolicy, update: Update) -> str:
        """That an update installs itself, and when, in words; empty if it does not."""
        if not policy.auto_update or not self._journal.slots(app).active:
            return ""
        if not may_install_itself(self._journal.attempts(app), update.release.source_revision):
            return ""
        opening = due.opens_at(policy, self._now())
        return due.waits_for(opening, policy.window.hours) if opening and policy.window else BY_ITSELF

    def _is_worth_a_try(self, app: str, update: Update, *, is_asked: bool) -> bool:
        """Whether to deploy it without being asked: something is live, the app is not busy, and what is known of the
        release allows it. What somebody deployed by hand is replaced only by what is known to be newer.
        """
        live = live_release(self._journal, app)
        if live is None or self._scheduler.busy_with(app):
            return False
        if is_by_hand(live.source_revision) and not is_known_to_be_newer(update.release, live):
            return False
        attempts, revision = self._journal.attempts(app), update.release.source_revision
        if not may_install_itself(attempts, revision):
            return False
        pause = checks_between_tries(attempts, revision)
        if is_asked:
            return not pause
        before, passed = self._waited.get(app, (revision, 0))
        passed = passed + 1 if before == revision else 1
        is_due = passed > pause
        self._waited[app] = revision, 0 if is_due else passed
        return is_due
