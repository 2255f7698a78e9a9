"""The audit log: who did what, from where and when, and the outcome."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.access import AuditEntry
from orchestrator.domain.shares import fair_share
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned

MOST_ENTRIES = 100_000
"""The audit log keeps this many entries. Beyond it the oldest ones of those tokens that have the most are removed: who
has no token, or one that may do little, does not push out what others did."""
PRUNED_EVERY = 1000


class AuditLog(Database):
    """Queries of the audit log."""

    def audit(self, who: str, origin: str, action: str, app: str, status: int | None = None, reason: str = "") -> int:
        """Add an entry, and return its id. `status` is None while the request is carried out."""
        with self._writing() as connection:
            return self._audit_in(connection, who, origin, action, app, status, reason)

    def _audit_in(
        self,
        connection: sa.Connection,
        who: str,
        origin: str,
        action: str,
        app: str,
        status: int | None,
        reason: str = "",
    ) -> int:
        """As `audit`, in a transaction that writes what was asked for as well."""
        row = {
            "at": stored(now()), "who": self._clipped(who, 100), "origin": self._clipped(origin, 100),
            "action": self._clipped(action, 100), "app": self._clipped(app, 64), "status": status,
            "reason": self._clipped(reason, 1000),
        }  # fmt: skip
        key = connection.execute(self._audit.insert().values(row)).inserted_primary_key
        assert key is not None
        if key[0] % PRUNED_EVERY == 0:
            self._prune_audit(connection)
        return int(key[0])

    def audit_ended(self, entry: int, status: int, reason: str) -> None:
        """Add the outcome to an entry."""
        values = {"status": status, "reason": self._clipped(reason, 1000)}
        with self._writing() as connection:
            connection.execute(self._audit.update().where(self._audit.c.id == entry).values(values))

    def audit_entries(
        self, limit: int, before: int | None = None, app: str = "", who: str = "", refused_only: bool = False
    ) -> list[AuditEntry]:
        """Entries of the audit log, the newest first; only those with smaller ids than `before` if it is given."""
        table = self._audit
        query = table.select().order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.id < before)
        if app:
            query = query.where(table.c.app == app)
        if who:
            query = query.where(table.c.who == who)
        if refused_only:
            query = query.where(table.c.status >= 400)
        with self._reading() as connection:
            return [_entry_of(row) for row in connection.execute(query).mappings()]

    def _prune_audit(self, connection: sa.Connection) -> None:
        table = self._audit
        counted = connection.execute(sa.select(table.c.who, sa.func.count()).group_by(table.c.who))
        counts: dict[str, int] = {who: count for who, count in counted}
        share = fair_share(counts.values(), MOST_ENTRIES)
        for who in (who for who, count in counts.items() if count > share):
            mine = table.c.who == who
            newest = sa.select(table.c.id).where(mine).order_by(table.c.id.desc()).limit(share).subquery()
            oldest_kept = sa.select(sa.func.min(newest.c.id)).scalar_subquery()
            connection.execute(table.delete().where(mine & (table.c.id < oldest_kept)))

    def _clipped(self, text: str, most: int) -> str:
        """As it is stored: without control characters and secrets, and then of limited length."""
        return clipped(self._border.text(text), most)


def _entry_of(row: Any) -> AuditEntry:  # Any: as above
    return AuditEntry(
        id=row["id"],
        at=zoned(row["at"]),
        who=row["who"],
        origin=row["origin"],
        action=row["action"],
        app=row["app"],
        status=row["status"],
        reason=row["reason"],
    )


def clipped(text: str, most: int) -> str:
    """As it is stored: of limited length, and with no character that a database cannot store (NUL, lone surrogates)."""
    return text.encode(errors="replace").decode().replace("\0", "")[:most]
