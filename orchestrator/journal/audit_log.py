"""The audit log: who did what, from where and when."""

from __future__ import annotations

from orchestrator.clock import now
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored


class AuditLog(Database):
    """Queries of the audit log."""

    def audit(self, who: str, origin: str, action: str, app: str) -> None:
        with self._writing() as connection:
            row = {"at": stored(now()), "who": who, "origin": origin, "action": action, "app": app}
            connection.execute(self._audit.insert().values(row))
