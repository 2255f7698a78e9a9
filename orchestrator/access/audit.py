"""The audit log: who asked for what from where, and what became of it, refused requests included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from orchestrator.access.caller import Caller
from orchestrator.clock import elapsed
from orchestrator.domain.access import AuditEntry
from orchestrator.errors import JournalError
from orchestrator.journal.store import Journal

log = structlog.get_logger()

REFUSALS_A_MINUTE = 120
"""Refused requests of one token, and of all strangers together, beyond this number are counted, not recorded one by
one: nobody must fill the disk, and no stranger keep a token's refused requests out of the log."""

LIMIT_REACHED = f" It is one of {REFUSALS_A_MINUTE} within a minute: more refused requests in it are not recorded."


@dataclass
class _Refusals:
    """What was refused to one token, or to strangers, in a minute that began at the moment `since`."""

    since: float
    recorded: int = 0
    left_out: int = 0


class AuditLog:
    """Used on the event loop. The journal is written in threads, which are awaited to their end.

    Every method but `ended` raises JournalError.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float] = elapsed) -> None:
        self._journal = journal
        self._clock = clock
        self._refusals: dict[str, _Refusals] = {}
        """By the name of the token, empty for strangers: only names of tokens that exist stand here."""

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
        """Record a request that was refused: an unknown token, or one without the scope or for other apps. `who` is the
        token's name, empty for an unknown one."""
        moment = self._clock()
        mine = self._refusals.setdefault(who, _Refusals(moment))
        if moment - mine.since >= 60:
            mine.since, mine.recorded = moment, 0
        if mine.recorded >= REFUSALS_A_MINUTE:
            mine.left_out += 1
            return
        mine.recorded += 1
        if mine.left_out:
            reason += f" Before it, {mine.left_out} refused requests were not recorded, because there were too many."
            mine.left_out = 0
        if mine.recorded == REFUSALS_A_MINUTE:
            # Now: nobody knows whether there will be another one, to say how many came after it.
            reason += LIMIT_REACHED
        await self._journal.beside(self._journal.audit, who, origin, action, app, status, reason)

    async def entries(
        self, limit: int, before: int | None, app: str, who: str, *, refused_only: bool
    ) -> list[AuditEntry]:
        """The newest entries first."""
        return await self._journal.beside(self._journal.audit_entries, limit, before, app, who, refused_only)
