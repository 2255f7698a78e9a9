"""The audit log: who asked for what from where, and what became of it, refused requests included."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from orchestrator.access.caller import Caller
from orchestrator.clock import elapsed
from orchestrator.domain.access import AuditEntry
from orchestrator.errors import JournalError
from orchestrator.journal.store import Journal

log = structlog.get_logger()

REFUSALS_A_MINUTE = 120
"""Refused requests beyond this number are counted, not recorded one by one: a stranger must not fill the disk."""


class AuditLog:
    """Used on the event loop. The journal is written in threads, which are awaited to their end.

    Every method but `ended` raises JournalError.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float] = elapsed) -> None:
        self._journal = journal
        self._clock = clock
        self._minute = 0.0
        self._recorded = self._left_out = 0

    async def begun(self, caller: Caller, action: str, app: str) -> int:
        """Record a request before it is carried out. Returns the entry's id, for `ended`."""
        return await self._journal.beside(self._journal.audit, caller.name, caller.origin, action, app)

    async def ended(self, entry: int, status: int, reason: str) -> None:
        """Record the outcome of a request.

        The request has been carried out by then: if the journal is away, the entry stays without an outcome, which is
        shown as such, and the answer is sent.
        """
        try:
            await self._journal.beside(self._journal.audit_ended, entry, status, reason)
        except JournalError as error:
            log.error("outcome not recorded in the audit log", entry=entry, status=status, cause=error.cause)

    async def refused(self, who: str, origin: str, action: str, app: str, status: int, reason: str) -> None:
        """Record a request that was refused: an unknown token, or one without the scope or for other apps."""
        moment = self._clock()
        if moment - self._minute >= 60:
            self._minute, self._recorded = moment, 0
        if self._recorded >= REFUSALS_A_MINUTE:
            self._left_out += 1
            return
        self._recorded += 1
        if self._left_out:
            reason += f" Before it, {self._left_out} refused requests were not recorded, because there were too many."
            self._left_out = 0
        await self._journal.beside(self._journal.audit, who, origin, action, app, status, reason)

    async def entries(
        self, limit: int, before: int | None, app: str, who: str, *, refused_only: bool
    ) -> list[AuditEntry]:
        """The newest entries first."""
        return await self._journal.beside(self._journal.audit_entries, limit, before, app, who, refused_only)
