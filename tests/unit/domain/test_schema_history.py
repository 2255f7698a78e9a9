"""What an app's data has been through, and what a release needs before it can run on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.schema_history import (
    Direction,
    MigrationRun,
    Outcome,
    SchemaChange,
    SchemaRevision,
    applied,
    change_to,
    names,
)
from orchestrator.domain.schema_report import NotAReport, reported

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def revision(number: int, *, compatible: bool = True) -> SchemaRevision:
    return SchemaRevision(f"{number:04}", f"{number - 1:04}", compatible)


def run(
    minute: int,
    direction: Direction,
    *revisions: SchemaRevision,
    outcome: Outcome = Outcome.DONE,
    as_of: int | None = None,
) -> MigrationRun:
    """A run that has the minute as its id."""
    moment = None if as_of is None else at(as_of)
    return MigrationRun(minute, "shop", "", direction, revisions, outcome, at(minute), as_of=moment)


ONE, TWO, THREE = revision(1), revision(2), revision(3)
TWO_BREAKS = revision(2, compatible=False)
UP, DOWN, RESTORED = Direction.UP, Direction.DOWN, Direction.RESTORED


@pytest.mark.parametrize(
    ("runs", "has"),
    [
        ([], ()),
        ([run(1, UP, ONE), run(2, UP, TWO, THREE)], (ONE, TWO, THREE)),
        ([run(1, UP, ONE), run(2, UP, TWO, outcome=Outcome.FAILED)], (ONE,)),
        ([run(1, UP, ONE), run(2, UP, TWO, outcome=Outcome.RUNNING)], (ONE,)),
        ([run(1, UP, ONE, TWO), run(2, DOWN, TWO)], (ONE,)),
        ([run(1, UP, ONE), run(3, UP, TWO), run(5, RESTORED, as_of=2)], (ONE,)),
        ([run(1, UP, ONE), run(3, DOWN, ONE), run(5, RESTORED, as_of=2)], (ONE,)),
        ([run(1, UP, ONE), run(3, UP, TWO), run(5, RESTORED, ONE)], (ONE,)),
        ([run(1, UP, ONE), run(3, UP, TWO), run(5, RESTORED)], ()),
    ],
)
def test_what_the_data_has_is_what_was_done_and_not_undone(
    runs: list[MigrationRun], has: tuple[SchemaRevision, ...]
) -> None:
    assert applied(runs) == has


@pytest.mark.parametrize(
    ("runs", "live", "way"),
    [
        ([run(1, UP, ONE)], 2, SchemaChange()),
        ([run(1, UP, ONE), run(3, UP, TWO)], 2, SchemaChange()),
        ([run(1, UP, ONE), run(3, UP, TWO_BREAKS)], 2, SchemaChange(down=(TWO_BREAKS,))),
        ([run(1, UP, ONE), run(3, UP, TWO_BREAKS, THREE)], 2, SchemaChange(down=(TWO_BREAKS, THREE))),
        ([run(1, UP, ONE), run(3, UP, revision(2), revision(3, compatible=False))], 2,
         SchemaChange(down=(revision(3, compatible=False),))),
        ([run(1, UP, ONE, TWO_BREAKS), run(3, DOWN, TWO_BREAKS)], 2, SchemaChange(up=(TWO_BREAKS,))),
        ([run(1, UP, ONE), run(3, UP, TWO_BREAKS), run(5, RESTORED, as_of=2)], 4, SchemaChange(up=(TWO_BREAKS,))),
    ],
)  # fmt: skip
def test_what_a_release_needs_before_it_can_run_again(runs: list[MigrationRun], live: int, way: SchemaChange) -> None:
    assert change_to(None, at(live), runs) == way
    assert change_to(live, None, _with_any_clock(runs)) == way


@given(st.data())
def test_going_the_way_makes_the_release_fit_whatever_came_before(data: st.DataObject) -> None:
    """Random histories; then what the way says is done, and nothing more is needed."""
    runs: list[MigrationRun] = []
    next_number, minute = 1, 0
    for _ in range(data.draw(st.integers(1, 12))):
        minute += 2
        has = applied(runs)
        direction = data.draw(st.sampled_from([UP, UP, DOWN, RESTORED]))
        if direction is UP:
            runs.append(run(minute, UP, revision(next_number, compatible=data.draw(st.booleans()))))
            next_number += 1
        elif direction is DOWN and has:
            runs.append(run(minute, DOWN, *has[data.draw(st.integers(0, len(has) - 1)) :]))
        elif direction is RESTORED:
            moment = data.draw(st.integers(0, minute - 1))
            runs.append(run(minute, RESTORED, *applied(one for one in runs if one.id <= moment)))
    runs = [replace(one, started_at=at(data.draw(st.integers(-60_000, 60_000)))) for one in runs]
    live = data.draw(st.integers(0, minute))
    exactly = data.draw(st.booleans())

    way = change_to(live, None, runs, exactly=exactly)
    done = _gone(runs, way, minute + 2)

    assert change_to(live, None, done, exactly=exactly).is_empty
    if exactly:
        known = applied(one for one in runs if one.id <= live)
        assert {one.revision for one in applied(done)} == {one.revision for one in known}


def _with_any_clock(runs: list[MigrationRun]) -> list[MigrationRun]:
    """The same runs on a host whose clock was set back before each; a restore says what the data has then."""
    told: list[MigrationRun] = []
    for one in runs:
        has = applied(run for run in runs if run.id <= (_minute(one.as_of) if one.as_of else 0))
        revisions = has if one.direction is RESTORED else one.revisions
        told.append(replace(one, started_at=at(-one.id), as_of=None, revisions=revisions))
    return told


def _minute(moment: datetime) -> int:
    return round((moment - START).total_seconds() / 60)


def _gone(runs: Iterable[MigrationRun], way: SchemaChange, minute: int) -> list[MigrationRun]:
    done = list(runs)
    if way.down:
        done.append(run(minute, DOWN, *way.down))
    if way.up:
        done.append(run(minute + 1, UP, *way.up))
    return done


def test_a_report_is_read_and_everything_else_is_output() -> None:
    line = 'changeover: {"revision": "0002", "previous": "0001", "compatible": false, "says": "Sold by"}'

    assert reported(line) == SchemaRevision("0002", "0001", False, "Sold by")
    assert reported('changeover: {"revision": "0002"}') == SchemaRevision("0002")
    assert reported("INFO  [alembic.runtime.migration] Running upgrade 0001 -> 0002") is None
    assert names([replace(TWO, says="Sold by"), THREE]) == "0002 (Sold by), 0003"


@pytest.mark.parametrize("line", ["changeover: nonsense", 'changeover: {"revison": "0002"}', "changeover: []"])
def test_a_report_that_is_none_is_refused_with_what_one_looks_like(line: str) -> None:
    with pytest.raises(NotAReport, match=": "):
        reported(line)
