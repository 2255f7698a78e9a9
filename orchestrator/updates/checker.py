"""The update checker: what sources offer, and what became of it. `updates/background.py` asks them by itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed, now
from orchestrator.config.named_files import refuse_unread
from orchestrator.config.section import Section
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.deploy.crashed_standby import Crash
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.events import EventKind, Occurrence, UpdateFound
from orchestrator.domain.push_check import Head
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import may_be_offered
from orchestrator.domain.update import Update
from orchestrator.domain.update_events import CheckSucceeded, FoundBy, Skipped
from orchestrator.errors import Refused, StepFailed
from orchestrator.events.stream import EventStream
from orchestrator.host.at_once import at_once
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.journal.store import Journal
from orchestrator.sources.base import Source
from orchestrator.sources.order import comes_before
from orchestrator.supervision import Supervisor
from orchestrator.updates import due
from orchestrator.updates.asked_host import asked_host
from orchestrator.updates.background import BackgroundChecks
from orchestrator.updates.dismissal import dismiss
from orchestrator.updates.expected import expected_of
from orchestrator.updates.held_back import HeldBack, Older, older, why_held_back
from orchestrator.updates.listed_versions import VersionLists
from orchestrator.updates.live import live_release, live_revision, tried_revision
from orchestrator.updates.newest_wanted import newest_wanted
from orchestrator.updates.remembered import Remembered
from orchestrator.updates.self_install import SelfInstall
from orchestrator.updates.time_limit import checked_within
from orchestrator.updates.turns import CheckTurns
from orchestrator.updates.wanted import Wanted

CHECK_WITHIN_S = 330.0  # one fetch of a repository has 300
MADE_LIVE = frozenset({EventKind.LIVE, EventKind.RESTORED, EventKind.FAILED_OVER})
NOT_MADE_LIVE = frozenset({EventKind.FAILED, EventKind.CANCELLED})


class UpdateChecker:
    """Keeps the update that was found last, per app. A dismissed one is not shown for 24 hours, a skipped one never.

    `chance` gives numbers from 0 to 1, by which the intervals of apps differ.
    """

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        scheduler: Scheduler,
        supervisor: Supervisor,
        clock: Callable[[], datetime] = now,
        elapsed: Callable[[], float] = elapsed,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._journal = journal
        self._events = events
        self._scheduler = scheduler
        self._now, self._elapsed = clock, elapsed
        self.remembered = Remembered(journal, clock, elapsed)
        self._wanted = Wanted(self.remembered, clock)
        self._self_install = SelfInstall(journal, scheduler, clock)
        self.install_if_wanted = self._self_install.install_if_wanted
        self._found: dict[str, Update | None] = {}
        self._newer_than: dict[str, frozenset[str]] = {}
        """By app: the source revisions than which the update that was found is known to be newer."""
        self._announced: dict[str, str] = {}
        """By app: the source revision that an event told last."""
        self._older: dict[str, Older | None] = {}
        self._questions: dict[str, tuple[Source, SharedQuestion[Update | None]]] = {}
        """By app, with the source that is asked."""
        self._sources: dict[str, Section | None] = {}
        self._other_source: set[str] = set()
        """The apps that have got another source, or were away, and were not asked since."""
        self._policies: dict[str, UpdatePolicy] = {}
        self._asked_at: dict[str, float] = {}
        """By app: when its source was asked last, as `elapsed` counts."""
        self._turns = CheckTurns()
        self.lists = VersionLists(self._turns, self.remembered)
        self._background = BackgroundChecks(self, self._turns, events, supervisor, chance)

    def follow(self, contexts: list[AppContext]) -> None:
        """Check these apps in the background, each at its own interval, and no others.

        An app whose section `update` is the same as before goes on as it is, also with a check that is under way. What
        was found in another source than an app has now is forgotten.
        """
        sources: dict[str, Section | None] = {one.name: one.config.update.followed for one in contexts}
        for name in [one for one in {*self._sources, *sources} if sources.get(one) != self._sources.get(one)]:
            for known in (self._found, self._older, self._asked_at, self._announced):
                known.pop(name, None)
            if name in self._sources:
                self._other_source.add(name)
        self._sources = sources
        self._policies = {one.name: one.config.update for one in contexts}
        self.lists.keep(sources)
        self._background.follow(contexts)

    def known(self, app: str) -> Update | None:
        """The update that the last check found; None if it may not be offered or is dismissed, or if a release is live
        since then that may be newer. Raises JournalError."""
        update = self._found.get(app)
        if update is None or self.is_outdated(app) or not self._is_offered(app, update):
            return None
        return update if not self.remembered.is_dismissed(app, update.release.version) else None

    def held_back(self, app: str) -> HeldBack | None:
        """Why the release that the last check found is not offered; None if it is, or is live, or if a release is live
        since then that may be newer. Raises JournalError."""
        update, live = self._found.get(app), live_revision(self._journal, app)
        if found := self._older.get(app):
            return found.beside(live)
        if update is None or update.release.source_revision == live or self.is_outdated(app):
            return None
        return why_held_back(app, update.release, self._journal.attempts(app)) or self.unwanted(app)

    def unwanted(self, app: str) -> HeldBack | None:
        """Why no machine deploys what the last check found: it is skipped or too young. None if one may."""
        update = self._found.get(app)
        return self._wanted.why_not(app, self._policies.get(app), update) if update else None

    def waits(self, app: str) -> str:
        """That the known update waits for its window, in words; empty if it does not. Raises JournalError."""
        update, policy = self.known(app), self._policies.get(app)
        return self._self_install.waits(app, policy, update) if update and policy else ""

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier: check again soon if the last check did not know what is live now, or was tried."""
        tried = tried_revision(self._journal, deployment) if happened.kind in NOT_MADE_LIVE else ""
        if (happened.kind in MADE_LIVE and self.is_outdated(app)) or (tried and self.is_outdated(app, tried)):
            self._background.ask_soon(app)

    async def check(self, context: AppContext, *, afresh: bool = False) -> Update | None:
        """Ask the source now. None if its newest release may not be offered: it is or was live, it failed, is skipped
        or too young, or it is older than the one that is live. Raises StepFailed or JournalError, and Refused if the
        app has got another source meanwhile.

        `afresh`: without what the source said before, also where caches on the way would answer. Of many who ask at
        once, few ask the source: a deployment waits for them.
        """
        if afresh:
            self._question(context).before_next(context.source.forget)
        host = asked_host(context.config.update)

        async def ask() -> Update | None:
            async with self._turns.asked(context.name, host):
                return await self._find(context, FoundBy.ASKED)

        found = await self._question(context).ask(ask)
        self._background.look_again(context.name)
        return found

    async def ask_by_itself(self, context: AppContext, found_by: FoundBy) -> Update | None:
        """As `check`; whoever calls it has the turn."""
        return await self._question(context).ask(lambda: self._find(context, found_by))

    def _question(self, context: AppContext) -> SharedQuestion[Update | None]:
        known = self._questions.get(context.name)
        if known is None or known[0] is not context.source:
            known = self._questions[context.name] = (context.source, SharedQuestion())
        return known[1]

    async def head(self, context: AppContext) -> Head:
        """Ask the source now, afresh, for what it has, whether that may be offered or not. Raises as `check`."""
        await self.check(context, afresh=True)
        if found := self._older.get(context.name):
            return Head.of(found.held_back.release, is_older=True)
        if update := self._found.get(context.name):
            return Head.of(update.release)
        raise Refused(f"The check of {context.name} has no result: its source was changed meanwhile.")

    async def _find(self, context: AppContext, found_by: FoundBy) -> Update | None:
        app = context.name
        self._asked_at[app] = self._elapsed()
        try:
            update = await checked_within(CHECK_WITHIN_S, app, self._ask(context))
        except StepFailed:
            if app in self._other_source:  # that the one before failed, too, is no reason not to tell it
                await self._journal.beside(self._journal.check_succeeded, app)
                self._other_source.discard(app)
            raise
        self._other_source.discard(app)
        if await self._journal.beside(self._journal.checks_fail, app):
            await self._events.publish(CheckSucceeded(), app)
            await self._journal.beside(self._journal.check_succeeded, app)
        await self.announce(app, found_by)
        return update if update and self._is_offered(app, update) else None

    async def _ask(self, context: AppContext) -> Update | None:
        app, source = context.name, context.source
        if app not in self._sources:  # else `follow` knows: this check may have waited while the configuration changed
            self._policies[app] = context.config.update
        refuse_unread(context.config, context.config_file.parent)
        newest = await source.newest()
        release = live_release(self._journal, app)
        live = release.source_revision if release else ""
        were_live = {one.release.source_revision for one in self._journal.attempts(app) if one.was_live and one.release}
        if release and await self._is_older(context, newest.release):
            self._refuse_if_replaced(context)
            self._found[app], self._older[app] = None, older(app, newest.release, release)
            return None
        if newest.release.source_revision != live:
            await self.remembered.see(app, newest.release.version)
            newest = await newest_wanted(context, newest, live, self._wanted, self._is_older)
        revision = newest.release.source_revision
        expected = expected_of(context, self._journal, is_live=revision == live)
        changelog, origin, takes = await at_once(source.changelog(live, revision), source.origin(), expected)
        update = Update(newest.release, changelog, newest.released_at, self._now(), origin, takes)
        self._refuse_if_replaced(context)
        self._found[app], self._older[app] = update, None
        self._newer_than[app] = frozenset({live, revision, *were_live, *(one.revision for one in changelog.changes)})
        return update

    async def _is_older(self, context: AppContext, release: Release) -> bool:
        """Whether something else is live, and known to be as new or newer."""
        live = live_release(self._journal, context.name)
        if live is None or live.source_revision == release.source_revision:
            return False
        return comes_before(release, live, context.config.update.ordered_by) or await context.source.is_older(
            release.source_revision, live.source_revision
        )

    def _refuse_if_replaced(self, context: AppContext) -> None:
        source = context.config.update.followed
        if self._sources.get(context.name, source) != source:
            raise Refused(
                f"The check of {context.name} has no result: its source was changed meanwhile.",
                f"Check again: changeover check {context.name}",
            )

    async def announce(self, app: str, found_by: FoundBy) -> None:
        """Tell the known update by an event, once. Raises JournalError: then the next check tells it."""
        update = self.known(app)
        # What an app's first deployment is making live is no update.
        is_first = not live_revision(self._journal, app) and self._scheduler.busy_with(app) is not None
        if update and not is_first and self._announced.get(app) != update.release.source_revision:
            await self._events.publish(UpdateFound(update.release.version, found_by), app)
            self._announced[app] = update.release.source_revision

    async def dismiss(self, app: str, version: str = "") -> Update | None:
        """Do not show for 24 hours what is shown: the known update, which is returned, or why the newest release is not
        offered. Raises Refused if `version` is given, and neither shown nor dismissed, and JournalError."""
        update, held = self.known(app), self.held_back(app)
        shown = update.release if update else held.release if held else None
        await dismiss(app, shown, version, self.remembered, self._events)
        return update

    async def refuse_skip(self, context: AppContext, version: str, crash: Crash | None) -> None:
        """Raises UnknownVersion for one that the source does not have, Refused for the one that is live, and StepFailed
        where the source does not say what it has. `crash` is that of the standby."""
        update = self._found.get(context.name)
        await self.lists.refuse_skip(context, version, update.release.version if update else "", crash)

    async def skip(self, app: str, version: str, by: str, *, undo: bool = False) -> None:
        """Never offer this version, whether the source has it or not; with `undo`, offer it again. The source is asked
        soon, if it is asked in the background: a version before it may be offered now, or this one.

        Raises Refused where there is nothing to undo, or too many are skipped, and JournalError.
        """
        if not undo:
            await self.remembered.skip(app, version, by)
        elif not await self.remembered.offer_again(app, version):
            raise Refused(f"{version} of {app} is not skipped.", f"See its versions: changeover versions {app}")
        await self._events.publish(Skipped(version, by, undo), app)
        self._background.ask_soon(app)

    def may_ask(self, context: AppContext) -> bool:
        """Whether a check in the background may ask the source now."""
        asked_at = self._asked_at.get(context.name)
        return due.may_ask(context.config.update, None if asked_at is None else self._elapsed() - asked_at)

    def changes_in(self, context: AppContext) -> float | None:
        """After how many seconds what is known may be offered, or install itself, which it may not now; None: never."""
        if (update := self._found.get(context.name)) is None:
            return None
        policy = context.config.update
        young = self._wanted.too_young_until(context.name, policy, update.release.version, update.released_at)
        moment = max(filter(None, (young, due.opens_at(policy, self._now()))), default=None)
        return (moment - self._now()).total_seconds() if moment else None

    def is_outdated(self, app: str, revision: str = "") -> bool:
        """Whether it is not known if the release that was found is newer than what is live now, or than `revision`."""
        than = revision or live_revision(self._journal, app)
        if found := self._older.get(app):
            return found.is_outdated(than)
        return self._found.get(app) is not None and than not in self._newer_than[app]

    def _is_offered(self, app: str, update: Update) -> bool:
        may_be = may_be_offered(self._journal.attempts(app), update.release.source_revision)
        return may_be and self._wanted.why_not(app, self._policies.get(app), update) is None
