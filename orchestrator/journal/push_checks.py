"""Checks that pushes ask for, and the deliveries that asked for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.push_check import CheckState, Delivery, Forge, PushCheck
from orchestrator.journal.audit_log import AuditLog, clipped
from orchestrator.journal.rows import stored, zoned, zoned_if_any

KEPT_OF_APP = 1000
"""So many newest checks and deliveries of an app are kept. A delivery that is older is not known any more: it only
looks once more."""
PRUNED_EVERY = 100
ACCEPTED = 202
"""The status with which a new delivery is answered (RFC 9110, section 15.3.3)."""


class PushChecks(AuditLog):
    """Queries of checks. The unfinished ones are carried out by the next process.

    A new delivery and its entry in the audit log are one transaction: its forge waits for the answer.
    """

    def push_arrived(self, delivery: Delivery, check: PushCheck) -> tuple[PushCheck, bool]:
        """Record a delivery, and the check that it asks for if that is new.

        Returns the check, and True; of a delivery that is known already, the one that it asked for then, and False.
        """
        mine = self._of(delivery)
        row = {"app": delivery.app, "forge": delivery.forge, "key": delivery.key, "check_id": check.id}
        with self._writing() as connection:
            known = connection.execute(sa.select(self._push_deliveries.c.check_id).where(mine)).scalar()
            if known is not None:
                found = self._check_in(connection, delivery.app, known)
                gone = replace(check, id=known, state=CheckState.NOTHING_NEW, says="It is not kept any more.")
                return found or gone, False
            key = connection.execute(self._push_deliveries.insert().values(row)).inserted_primary_key
            if self._check_in(connection, check.app, check.id) is None:
                connection.execute(self._push_checks.insert().values(_row_of(check)))
            who = f"push of {delivery.forge}"
            self._audit_in(connection, who, delivery.origin, delivery.request, delivery.app, ACCEPTED, delivery.note)
            if key and key[0] % PRUNED_EVERY == 0:
                # All of them: where one push is of two apps, the numbers of one app may all be odd.
                apps = connection.execute(sa.select(self._push_deliveries.c.app).distinct()).scalars().all()
                for app in apps:
                    self._prune_push_checks(connection, app)
        return check, True

    def push_check(self, app: str, check_id: str) -> PushCheck | None:
        with self._reading() as connection:
            return self._check_in(connection, app, check_id)

    def push_checks(self, app: str, limit: int) -> list[PushCheck]:
        """The newest first."""
        table = self._push_checks
        query = table.select().where(table.c.app == app).order_by(table.c.number.desc()).limit(limit)
        with self._reading() as connection:
            return [_check_of(row) for row in connection.execute(query).mappings()]

    def unfinished_push_checks(self) -> list[PushCheck]:
        """Those that wait, of all apps, the oldest first."""
        table = self._push_checks
        query = table.select().where(table.c.state == CheckState.WAITING).order_by(table.c.number)
        with self._reading() as connection:
            return [_check_of(row) for row in connection.execute(query).mappings()]

    def newest_push_checks(self) -> list[PushCheck]:
        """The newest one of each app."""
        table = self._push_checks
        newest = sa.select(sa.func.max(table.c.number)).group_by(table.c.app)
        with self._reading() as connection:
            rows = connection.execute(table.select().where(table.c.number.in_(newest))).mappings()
            return [_check_of(row) for row in rows]

    def announced_before(self, app: str) -> str:
        """The revision that the newest check of an app that has ended found; empty if there is none."""
        table = self._push_checks
        query = sa.select(table.c.revision).where((table.c.app == app) & (table.c.revision != ""))
        with self._reading() as connection:
            return connection.execute(query.order_by(table.c.number.desc()).limit(1)).scalar() or ""

    def push_check_ended(self, check: PushCheck) -> None:
        """Record what became of a check."""
        row = _row_of(check) | {"ended_at": stored(now()), "says": clipped(self._border.text(check.says), 2000)}
        with self._writing() as connection:
            connection.execute(self._push_checks.update().where(self._push_checks.c.id == check.id).values(row))

    def _check_in(self, connection: sa.Connection, app: str, check_id: str) -> PushCheck | None:
        table = self._push_checks
        mine = (table.c.app == app) & (table.c.id == check_id)
        row = connection.execute(table.select().where(mine)).mappings().first()
        return _check_of(row) if row else None

    def _of(self, delivery: Delivery) -> sa.ColumnElement[bool]:
        table = self._push_deliveries
        return (table.c.app == delivery.app) & (table.c.forge == delivery.forge) & (table.c.key == delivery.key)

    def _prune_push_checks(self, connection: sa.Connection, app: str) -> None:
        checks, deliveries = self._push_checks, self._push_deliveries
        for table, ended in ((checks, checks.c.state != CheckState.WAITING), (deliveries, sa.true())):
            newest = sa.select(table.c.number).where(table.c.app == app).order_by(table.c.number.desc())
            oldest_kept = connection.execute(newest.offset(KEPT_OF_APP - 1).limit(1)).scalar()
            if oldest_kept is not None:
                too_old = (table.c.app == app) & (table.c.number < oldest_kept)
                connection.execute(table.delete().where(too_old & ended))


def _row_of(check: PushCheck) -> dict[str, object]:
    return {
        "id": check.id, "app": check.app, "forge": check.forge, "state": check.state,
        "requested_at": stored(check.requested_at), "revision": clipped(check.revision, 200),
        "version": clipped(check.version, 200), "deployment": check.deployment, "says": clipped(check.says, 2000),
    }  # fmt: skip


def _check_of(row: Any) -> PushCheck:  # Any: as in rows.py
    return PushCheck(
        id=row["id"],
        app=row["app"],
        forge=Forge(row["forge"]),
        requested_at=zoned(row["requested_at"]),
        state=CheckState(row["state"]),
        ended_at=zoned_if_any(row["ended_at"]),
        revision=row["revision"],
        version=row["version"],
        deployment=row["deployment"],
        says=row["says"],
    )
