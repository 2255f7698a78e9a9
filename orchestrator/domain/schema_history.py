"""The schema revisions that an app's data has had, and what a release needs before it can run on the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class SchemaRevision:
    """One schema revision of an app's data, as the app itself reports it.

    `revision` names the schema that it leads to and `previous` the one that it leads from. `compatible` says whether
    the release before it can run on the new schema; `says` is what it is about.
    """

    revision: str
    previous: str = ""
    compatible: bool = True
    says: str = ""


class Direction(StrEnum):
    """Which way a migration took an app's data."""

    UP = "up"
    DOWN = "down"
    RESTORED = "restored"


class Outcome(StrEnum):
    """How a migration ended. One that is interrupted may or may not have been committed; recovery finds out."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class MigrationRun:
    """One run of migrations on an app's data. `as_of` is the moment of the backup that was restored."""

    id: int
    app: str
    deployment: str
    direction: Direction
    revisions: tuple[SchemaRevision, ...]
    outcome: Outcome
    started_at: datetime
    ended_at: datetime | None = None
    note: str = ""
    as_of: datetime | None = None

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class SchemaChange:
    """What must be done to the data before a release can run on it: revisions to take back, then those to apply."""

    down: tuple[SchemaRevision, ...] = ()
    up: tuple[SchemaRevision, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the release can run on the data as it is."""
        return not (self.down or self.up)


def applied(runs: Iterable[MigrationRun]) -> tuple[SchemaRevision, ...]:
    """The revisions that the data has after these runs, the oldest first. The runs are given in their order."""
    done = [run for run in runs if run.outcome is Outcome.DONE]
    has: list[SchemaRevision] = []
    for number, run in enumerate(done):
        names = {one.revision for one in run.revisions}
        match run.direction:
            case Direction.UP:
                has = [one for one in has if one.revision not in names] + list(run.revisions)
            case Direction.DOWN:
                has = [one for one in has if one.revision not in names]
            case Direction.RESTORED:
                moment = run.as_of or run.started_at
                has = list(applied(one for one in done[:number] if one.started_at < moment))
    return tuple(has)


def change_to(live_at: datetime | None, runs: Iterable[MigrationRun], *, exactly: bool = False) -> SchemaChange:
    """From the data as it is to what a release can run on that went live at `live_at`.

    The release knows what had been applied before it went live. Of what came later, the earliest revision that it
    cannot run on is taken back, with all that depend on it; `exactly` takes everything back that came later. What was
    taken back since is applied again.
    """
    runs = list(runs)
    has = applied(runs)
    known = applied(run for run in runs if live_at is None or run.started_at < live_at)
    known_names = {one.revision for one in known}
    later = [one for one in has if one.revision not in known_names]
    down: tuple[SchemaRevision, ...] = ()
    breaking = [number for number, one in enumerate(later) if exactly or not one.compatible]
    if breaking:
        down = tuple(later[breaking[0] :])
    has_names = {one.revision for one in has}
    return SchemaChange(down, tuple(one for one in known if one.revision not in has_names))


def names(revisions: Iterable[SchemaRevision]) -> str:
    """For messages: '0002 (receipts), 0003'."""
    return ", ".join(f"{one.revision} ({one.says})" if one.says else one.revision for one in revisions)
