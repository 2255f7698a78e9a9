"""Looks for updates: at start, in the background, and when asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from orchestrator.errors import ChangeoverError
from orchestrator.events import EventStream
from orchestrator.journal import Journal, now
from orchestrator.model import Update
from orchestrator.queue import Queue
from orchestrator.site import Site

log = structlog.get_logger()

DISMISSED_FOR = timedelta(hours=24)


class UpdateChecker:
    """Knows, per app, the update that was found last. One that is dismissed is not shown for a day."""

    def __init__(self, journal: Journal, events: EventStream, queue: Queue) -> None:
        self._journal = journal
        self._events = events
        self._queue = queue
        self._found: dict[str, Update | None] = {}
        self._dismissed: dict[tuple[str, str], datetime] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, sites: list[Site]) -> None:
        """Check these apps in the background, each at its own interval, and no others."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks = {
            site.name: asyncio.create_task(self._keep_checking(site)) for site in sites if site.app.update.enabled
        }

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def known(self, app: str) -> Update | None:
        """What the last check found, if it is still newer than what is live and was not dismissed."""
        update = self._found.get(app)
        if update is None or update.release.revision in self._not_to_be_offered(app):
            return None
        dismissed = self._dismissed.get((app, update.release.revision))
        return None if dismissed and now() - dismissed < DISMISSED_FOR else update

    async def check(self, site: Site) -> Update | None:
        """Ask the source now. None when the newest revision is live already. Raises StepFailed from the source."""
        newest = await site.repository.newest()
        if newest.release.revision in self._not_to_be_offered(site.name):
            self._found[site.name] = None
            return None
        live = self._live_revision(site.name)
        known = self._found.get(site.name)
        changes = await site.repository.changes(live, newest.release.revision)
        update = Update(newest.release, changes, newest.committed_at, now(), await site.repository.origin())
        self._found[site.name] = update
        if known is None or known.release.revision != newest.release.revision:
            self._events.publish("update", site.name, version=newest.release.version)
        return update

    def dismiss(self, app: str) -> Update | None:
        """Do not show what is known now for 24 hours."""
        update = self.known(app)
        if update:
            self._dismissed[app, update.release.revision] = now()
            self._events.publish("dismissed", app, version=update.release.version)
        return update

    def _not_to_be_offered(self, app: str) -> set[str]:
        """What is live or was live before it, and above all a release that somebody went back from."""
        return {one.release.revision for one in self._journal.deployments(app) if one.release and one.live_at}

    def _live_revision(self, app: str) -> str:
        slots = self._journal.slots(app)
        release = self._journal.deployment(slots.active).release if slots.active else None
        return release.revision if release else ""

    async def _keep_checking(self, site: Site) -> None:
        policy = site.app.update
        if not policy.check_on_startup:
            await asyncio.sleep(policy.background_check.interval)
        while True:
            try:
                update = await self.check(site)
                if update and policy.auto_update and self._live_revision(site.name):
                    self._queue.request(site.name, ref=update.release.revision, by="auto_update")
            except ChangeoverError as error:
                self._events.publish("check_failed", site.name, cause=error.cause, remedy=error.remedy)
                log.warning("update check failed", app=site.name, cause=error.cause)
            if not policy.background_check.enabled:
                return
            await asyncio.sleep(policy.background_check.interval)
