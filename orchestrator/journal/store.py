"""The journal: the durable record of what is intended, running and done.

Every write is committed and on the disk before the call returns. Times are stored in UTC without a zone and returned
with it.
"""

from __future__ import annotations

from pathlib import Path

from border.secrets import Secrets
from migrations.database import current, head
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.journal.alerts import Alerts
from orchestrator.journal.audit_log import AuditLog
from orchestrator.journal.deployed_values import DeployedValues
from orchestrator.journal.deployments import DeploymentRecords
from orchestrator.journal.event_log import EventLog
from orchestrator.journal.known_apps import KnownApps
from orchestrator.journal.migration_runs import MigrationRuns
from orchestrator.journal.mutes import Mutes
from orchestrator.journal.notices import Notices
from orchestrator.journal.panel_sessions import PanelSessions
from orchestrator.journal.push_checks import PushChecks
from orchestrator.journal.tokens import Tokens
from orchestrator.journal.traffic import TrafficMinutes
from orchestrator.journal.unsettled_data import UnsettledData
from orchestrator.journal.upgrade import bring_up_to_date, finish_configuration_change

OWN = "orchestrator"
"""The app name under which the journal records the migrations of its own schema."""


class Journal(
    DeploymentRecords,
    MigrationRuns,
    UnsettledData,
    KnownApps,
    Tokens,
    PanelSessions,
    PushChecks,
    AuditLog,
    Alerts,
    Mutes,
    DeployedValues,
    Notices,
    TrafficMinutes,
    EventLog,
):
    """The journal in the database of `url`. One process reads and writes it.

    The queries of a noun are in the file of that noun.
    Every method raises JournalError when the database does not answer or its disk is full.
    """

    def __init__(self, url: str, configuration: Path | None = None, known_secrets: Secrets | None = None) -> None:
        """Upgrade the schema, and the file `configuration` if a schema revision changes it. Raises JournalError."""
        super().__init__(url)
        self._border = known_secrets or self._border
        try:
            self._open(url, configuration)
        except BaseException:
            self.close()
            raise

    def _open(self, url: str, configuration: Path | None) -> None:
        migrated = None
        if (stands_at := current(self._engine)) != head("orchestrator"):
            migrated = bring_up_to_date(url, stands_at, configuration)
        elif configuration:
            finish_configuration_change(configuration, stands_at)
        self._read_tables()
        if migrated:
            run = self.migration_started(OWN, "", Direction.UP, migrated.revisions)
            self.migration_ended(run, Outcome.DONE, migrated.revisions, f"took {migrated.seconds:.2f} s")
