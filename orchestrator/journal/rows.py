"""Conversion between the journal's rows and values. Times are stored in UTC without a zone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import (
    Deployment,
    Failure,
    Interrupter,
    Kind,
    State,
    StepName,
    StepRecord,
    StepState,
)
from orchestrator.domain.in_hand import InHand
from orchestrator.domain.release import Change, Release
from orchestrator.domain.release_history import Attempt
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision

_IN_HAND = TypeAdapter(InHand)
_CHANGES = TypeAdapter(tuple[Change, ...])
_FAILURE = TypeAdapter(Failure)
_REVISIONS = TypeAdapter(tuple[SchemaRevision, ...])


def stored(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def zoned_if_any(moment: datetime | None) -> datetime | None:
    return zoned(moment) if moment else None


def row_of(deployment: Deployment) -> dict[str, object]:
    """The row without its number, which is assigned once."""
    row: dict[str, object] = {
        name: getattr(deployment, name)
        for name in (
            "id", "app", "kind", "state", "requested_by", "ref", "colour", "container", "address", "port", "previous",
            "migrate", "backup", "interrupted_by", "known_run", "made_from", "volume", "forced", "brings_release",
            "paused_backup",
        )
    }  # fmt: skip
    for moment in ("requested_at", "started_at", "live_at", "ended_at", "paused_at", "resumed_at"):
        row[moment] = stored(getattr(deployment, moment))
    row["release"] = _stored_release(deployment.release)
    row["pending"] = None if deployment.pending is None else [asdict(one) for one in deployment.pending]
    row["changes"] = [asdict(change) for change in deployment.changes]
    row["cut"] = asdict(deployment.cut) if deployment.cut else None
    row["failure"] = _FAILURE.dump_python(deployment.failure, mode="json") if deployment.failure else None
    return row


def deployment_of(row: Any) -> Deployment:  # Any: SQLAlchemy's RowMapping is untyped for reflected tables
    return Deployment(
        id=row["id"],
        app=row["app"],
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        requested_by=row["requested_by"],
        ref=row["ref"],
        release=_release(row["release"]),
        colour=Colour(row["colour"]) if row["colour"] else None,
        container=row["container"],
        address=row["address"],
        port=row["port"],
        previous=row["previous"],
        changes=_CHANGES.validate_python(row["changes"]),
        pending=None if row["pending"] is None else _REVISIONS.validate_python(row["pending"]),
        migrate=row["migrate"],
        backup=row["backup"],
        paused_backup=row["paused_backup"],
        cut=_IN_HAND.validate_python(row["cut"]) if row["cut"] else None,
        paused_at=zoned_if_any(row["paused_at"]),
        resumed_at=zoned_if_any(row["resumed_at"]),
        failure=_FAILURE.validate_python(row["failure"]) if row["failure"] else None,
        interrupted_by=Interrupter(row["interrupted_by"]) if row["interrupted_by"] else None,
        number=row["number"],
        known_run=row["known_run"],
        made_from=row["made_from"],
        volume=row["volume"],
        forced=row["forced"],
        brings_release=row["brings_release"],
        requested_at=zoned(row["requested_at"]),
        started_at=zoned_if_any(row["started_at"]),
        live_at=zoned_if_any(row["live_at"]),
        ended_at=zoned_if_any(row["ended_at"]),
    )


def attempt_of(row: Any) -> Attempt:  # Any: as above
    return Attempt(
        number=row["number"],
        deployment=row["id"],
        ref=row["ref"],
        release=_release(row["release"]),
        state=State(row["state"]),
        was_live=row["live_at"] is not None,
        failure=_FAILURE.validate_python(row["failure"]) if row["failure"] else None,
        interrupted_by=Interrupter(row["interrupted_by"]) if row["interrupted_by"] else None,
        backup=row["backup"],
        volume=row["volume"],
    )


def _stored_release(release: Release | None) -> dict[str, str] | None:
    """The stored key is `revision`, from the time when Git was the only source."""
    if release is None:
        return None
    return {"version": release.version, "revision": release.source_revision, "image": release.image}


def _release(row: dict[str, str] | None) -> Release | None:
    return Release(row["version"], row["revision"], row.get("image", "")) if row else None


def migration_of(row: Any) -> MigrationRun:  # Any: as above
    return MigrationRun(
        id=row["id"],
        app=row["app"],
        deployment=row["deployment"],
        direction=Direction(row["direction"]),
        revisions=_REVISIONS.validate_python(row["revisions"]),
        outcome=Outcome(row["outcome"]),
        started_at=zoned(row["started_at"]),
        ended_at=zoned_if_any(row["ended_at"]),
        note=row["note"],
        as_of=zoned_if_any(row["as_of"]),
    )


def step_of(row: Any) -> StepRecord:  # Any: as above
    ended = zoned(row["ended_at"]) if row["ended_at"] else None
    return StepRecord(StepName(row["name"]), StepState(row["state"]), zoned(row["started_at"]), ended, row["note"])
