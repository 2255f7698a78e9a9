"""Makes notices of events, as far as somebody is to be told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from border.secrets import Secrets
from orchestrator.config.schema import Config
from orchestrator.domain.events import Occurrence, UpdateFound
from orchestrator.domain.notice import About, Notice, NoticeKind
from orchestrator.domain.update_events import CheckFailed
from orchestrator.domain.version_record import VersionRecord
from orchestrator.journal.store import Journal
from orchestrator.notices.texts import OF_CHECKS, OF_OUTAGES, Texts, about_deployment
from orchestrator.notices.wanted import is_wanted
from orchestrator.updates.remembered import LONGEST


class Making:
    """Reads what a notice says from the journal. Used on the event loop alone."""

    def __init__(
        self,
        journal: Journal,
        config: Callable[[], Config],
        public_url: str,
        known_secrets: Secrets,
        clock: Callable[[], datetime],
    ) -> None:
        self._journal, self._config, self._now = journal, config, clock
        self._public_url, self._texts = public_url.rstrip("/"), Texts(known_secrets)

    async def notice_of(
        self, happened: Occurrence, app: str, deployment: str, at: datetime
    ) -> tuple[Notice | None, VersionRecord | None]:
        """The notice, if there is one, and the version that it tells. Raises ChangeoverError."""
        told = None
        if isinstance(happened, UpdateFound):
            about = About.UPDATE
            told = await self._untold(happened, app)
            if told is None:
                return None, None
            title, body = self._texts.of_update(app, happened.version, self._live_version(app), self.panel)
        elif isinstance(happened, OF_CHECKS):
            if app not in self._config().all_apps():
                return None, None  # removed while its check was under way
            is_failure = isinstance(happened, CheckFailed)
            about = About.CHECK_FAILED if is_failure else About.CHECK_SUCCEEDED
            if is_failure and await self._journal.beside(self._journal.checks_fail, app):
                return None, None
            title, body = self._texts.of_check(happened, app, self.panel)
        elif isinstance(happened, OF_OUTAGES):
            about = About(happened.kind.value)
            title, body = self._texts.of_outage(happened, app, self.panel)
        else:
            recorded = await self._journal.beside(self._journal.deployment, deployment)
            about = about_deployment(happened, recorded)
            title, body = self._texts.of_deployment(happened, recorded, self.panel)
        return Notice(app, about, title, body, at), told

    async def _untold(self, found: UpdateFound, app: str) -> VersionRecord | None:
        """The record of a version of which somebody is to be told; None if nobody is, or was. Raises JournalError."""
        apps = self._config().all_apps()
        if app not in apps or not is_wanted(apps[app].update, found.found_by):
            return None
        if not any(one.tells(NoticeKind.UPDATE) for one in self._config().told_of(app)):
            return None
        version = found.version[:LONGEST]
        record = (await self._journal.beside(self._journal.versions, app)).get(version)
        if record and record.told_at:
            return None
        return replace(record or VersionRecord(version, self._now()), told_at=self._now())

    def _live_version(self, app: str) -> str:
        slots = self._journal.slots(app)
        return self._journal.deployment(slots.active).version if slots.active else ""

    @property
    def panel(self) -> str:
        """The panel's address; empty if it is not known."""
        host = self._config().public.panel.host
        return f"https://{host}" if host else self._public_url
