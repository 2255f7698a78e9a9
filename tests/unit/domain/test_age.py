"""Ages within sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.age import UNITS, ago

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "just now"),
        (1, "1 s ago"),
        (20, "20 s ago"),
        (119.9, "119 s ago"),
        (120, "2 min ago"),
        (14 * 60, "14 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (-1, "at 2026-11-27 12:00 UTC"),
    ],
)
def test_an_age_is_told_in_a_unit_that_says_it(seconds: float, says: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == says


@given(st.floats(1, 4e8))
def test_nothing_is_said_to_be_older_than_it_is_or_half_as_old(seconds: float) -> None:
    number, unit, _ = ago(NOW - timedelta(seconds=seconds), NOW).split()

    told = int(number) * {unit: length for length, unit in UNITS}[unit]
    assert told <= seconds + 1e-3
    assert seconds < 2 * told
