"""Durations are numbers of seconds, or text with units."""

from __future__ import annotations

import pytest

from orchestrator.config.durations import seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1d", 86400),
        ("2.5s", 2.5),
        ("1.5m", 90),
        ("0s", 0),
        ("1d1h1m1s", 90061),
    ],
)
def test_units_are_days_hours_minutes_and_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "90", "1:30", "10 m", "m", "-5s", "5s1m", "1h1h", "1e3s", "٣s", "9" * 30 + "s", "1ms"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 10m or 1h30m"):
        seconds(text)


def test_what_is_no_text_is_left_to_the_type() -> None:
    assert seconds(1.5) == 1.5
    assert seconds(None) is None
