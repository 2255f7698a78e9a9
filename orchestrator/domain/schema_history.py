"""The history of an app's schema revisions, and the schema change that a release needs before it can run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.duration import seconds_between


@dataclass(frozen=True)
class SchemaRevision:
    """One schema revision of an app's data, as the app itself reports it.

    `revision` is its name and `previous` the name of the schema revision before it. `compatible` says whether the
    previous release can run on it; `says` is its description.
    """

    revision: str
    previous: str = ""
    compatible: bool = True
    says: str = ""


NOT_REPORTED = "not reported by the app"


class Direction(StrEnum):
    """The direction of a migration run; `restored` is the restore of a backup."""

    UP = "up"
    DOWN = "down"
    RESTORED = "restored"


class Outcome(StrEnum):
    """How a migration run ended. An interrupted one stays `running` until recovery finds out if it was committed."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class MigrationRun:
    """One run of migrations on an app's data. Times are in UTC and for people: the order is that of the ids.

    A restore's `revisions` are those of the restored data. Where these are not known, because an earlier version of
    Changeover made the backup, `as_of` is the backup's time.
    """

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

    def has(self, revision: SchemaRevision) -> bool:
        return revision.revision in {one.revision for one in self.revisions}

    @property
    def seconds(self) -> float | None:
        """How long it took. None while it runs, or if that is not known."""
        return seconds_between(self.started_at, self.ended_at)


@dataclass(frozen=True)
class SchemaChange:
    """What a release needs before it can run on the data: schema revisions to revert, then those to apply."""

    down: tuple[SchemaRevision, ...] = ()
    up: tuple[SchemaRevision, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the release can run on the data as it is."""
        return not (self.down or self.up)


def applied(runs: Iterable[MigrationRun]) -> tuple[SchemaRevision, ...]:
    """The schema revisions of the data after these runs, the oldest first. The runs are in the order of their start."""
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
                has = list(run.revisions)
                if (moment := run.as_of) is not None:
                    has = list(applied(one for one in done[:number] if one.started_at < moment))
    return tuple(has)


def change_to(
    known_run: int | None, live_at: datetime | None, runs: Iterable[MigrationRun], *, exactly: bool = False
) -> SchemaChange:
    """The schema change from the data as it is to data on which a release can run that was live before.

    The release knows the schema revisions that were applied when it went live: those of the runs up to `known_run`, the
    id of the last one at that time; where that is not known, because an earlier version of Changeover recorded the
    release, those of the runs before `live_at`. Of the later ones, the first incompatible one is reverted, with all
    after it; with `exactly`, all later ones are reverted. Those that the release knows and that were reverted since are
    applied again.
    """
    runs = list(runs)
    has = applied(runs)
    known = _known(known_run, live_at, runs)
    later = newer_than(known_run, live_at, runs)
    down: tuple[SchemaRevision, ...] = ()
    breaking = [number for number, one in enumerate(later) if exactly or not one.compatible]
    if breaking:
        down = later[breaking[0] :]
    has_names = {one.revision for one in has}
    return SchemaChange(down, tuple(one for one in known if one.revision not in has_names))


def newer_than(
    known_run: int | None, live_at: datetime | None, runs: Iterable[MigrationRun]
) -> tuple[SchemaRevision, ...]:
    """The schema revisions of the data that a release which was live before does not know. See `change_to`."""
    runs = list(runs)
    names_of_known = {one.revision for one in _known(known_run, live_at, runs)}
    return tuple(one for one in applied(runs) if one.revision not in names_of_known)


def not_reported(
    reported: Sequence[SchemaRevision], pending: Sequence[SchemaRevision], recorded: Sequence[SchemaRevision]
) -> tuple[SchemaRevision, ...]:
    """The schema revisions on record that a release does not know, which reports these as applied and as pending.

    It knows what it reports, and what comes before that on record: some status commands name the last one only. One
    that is named after its release is never reported. Empty if it reports nothing as applied: it may report pending
    migrations only.
    """
    if not reported:
        return ()
    before = {one.revision: one.previous for one in (*recorded, *reported, *pending)}
    known: set[str] = set()
    for name in [one.revision for one in (*reported, *pending)]:
        while name and name not in known:
            known.add(name)
            name = before.get(name, "")
    return tuple(one for one in recorded if one.revision not in known and one.says != NOT_REPORTED)


def newest_run(runs: Sequence[MigrationRun]) -> int:
    """The id of an app's last migration run, for `Deployment.known_run`; 0 if there was none."""
    return runs[-1].id if runs else 0


def knows(
    revision: SchemaRevision, known_run: int | None, live_at: datetime | None, runs: Iterable[MigrationRun]
) -> bool:
    """Whether a release that was live before knows a schema revision. See `change_to`."""
    return revision.revision in {one.revision for one in _known(known_run, live_at, runs)}


def _known(known_run: int | None, live_at: datetime | None, runs: Iterable[MigrationRun]) -> tuple[SchemaRevision, ...]:
    return applied(run for run in runs if _was_known(run, known_run, live_at))


def _was_known(run: MigrationRun, known_run: int | None, live_at: datetime | None) -> bool:
    if known_run is not None:
        return run.id <= known_run
    return live_at is None or run.started_at < live_at


def named_after(version: str, runs: Iterable[MigrationRun]) -> SchemaRevision:
    """The schema revision that stands for what a release has applied and not reported; its predecessor is empty if
    nothing was ever reported. The app's tool does not know its name: nothing can be reverted to it.
    """
    reported = [one for one in applied(runs) if one.says != NOT_REPORTED]
    return SchemaRevision(version, reported[-1].revision if reported else "", compatible=False, says=NOT_REPORTED)


def change_in_words(change: SchemaChange) -> str:
    """For messages, after the name of what makes it: 'reverts 0003 and applies 0002 (receipts)'. It is not empty."""
    reverts = [f"reverts {names(change.down)}"] if change.down else []
    return " and ".join([*reverts, *([f"applies {names(change.up)}"] if change.up else [])])


def names(revisions: Iterable[SchemaRevision]) -> str:
    """For messages: '0002 (receipts), 0003'."""
    return ", ".join(f"{one.revision} ({one.says})" if one.says else one.revision for one in revisions)
