"""What the journal stores of a value is enough to have it again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, Serving, State, StepName
from orchestrator.domain.in_hand import InHand
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.journal.rows import deployment_of, row_of, stored, zoned

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.datetimes(
    datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))])
)
DEPLOYMENTS = st.builds(
    Deployment,
    id=TEXT,
    app=TEXT,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    requested_by=TEXT,
    requested_at=MOMENTS,
    ref=TEXT,
    started_at=st.none() | MOMENTS,
    live_at=st.none() | MOMENTS,
    ended_at=st.none() | MOMENTS,
    release=st.none() | st.builds(Release, TEXT, TEXT, TEXT),
    colour=st.none() | st.sampled_from(Colour),
    changes=st.lists(st.builds(Change, TEXT, TEXT, TEXT, TEXT, st.booleans()), max_size=2).map(tuple),
    pending=st.none() | st.lists(st.builds(SchemaRevision, TEXT, TEXT, st.booleans(), TEXT), max_size=2).map(tuple),
    migrate=st.booleans(),
    interrupted_by=st.none() | st.sampled_from(Interrupter),
    number=st.integers(1, 10**9),
    known_run=st.none() | st.integers(0, 10**9),
    made_from=TEXT,
    volume=TEXT,
    forced=st.booleans(),
    brings_release=st.booleans(),
    backup=TEXT,
    paused_backup=TEXT,
    cut=st.none() | st.builds(InHand, *[st.integers(0, 9)] * 4),
    paused_at=st.none() | MOMENTS,
    resumed_at=st.none() | MOMENTS,
    failure=st.none()
    | st.builds(
        Failure,
        step=st.sampled_from(StepName),
        cause=TEXT,
        tip=TEXT,
        log=st.lists(TEXT, max_size=2).map(tuple),
        exit_code=st.none() | st.integers(0, 255),
        oom=st.booleans(),
        undone=st.lists(TEXT, max_size=2).map(tuple),
        outside=st.booleans(),
        left=TEXT,
        left_remedy=TEXT,
        serving=st.none() | st.builds(Serving, st.booleans(), TEXT),
    ),
    steps=st.just(()),
)
IN_JSON = ("release", "pending", "changes", "failure", "cut")


@given(DEPLOYMENTS)
def test_a_deployment_is_the_same_after_it_was_a_row(deployment: Deployment) -> None:
    row = row_of(deployment)
    # What the database keeps as JSON comes back as JSON gives it: lists, and no types of ours.
    row |= {column: json.loads(json.dumps(row[column])) for column in IN_JSON}
    row["number"] = deployment.number

    assert deployment_of(row) == deployment


@given(MOMENTS)
def test_moments_are_stored_in_utc_without_zone_and_are_the_same_moments_again(moment: datetime) -> None:
    kept = stored(moment)

    assert kept is not None
    assert kept.tzinfo is None
    assert zoned(kept) == moment


def test_no_moment_stays_none() -> None:
    assert stored(None) is None
