"""The window of updates: days, midnight, and the two days of the year on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.update_window import DAYS, UpdateWindow

ZURICH = ZoneInfo("Europe/Zurich")


def window(begins: str, ends: str, *days: str, zone: ZoneInfo = ZURICH) -> UpdateWindow:
    return UpdateWindow(days or DAYS, time.fromisoformat(begins), time.fromisoformat(ends), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "is_open"),
    [
        (window("02:00", "05:00"), "2026-01-05T01:00", True),  # 02:00 in Zurich
        (window("02:00", "05:00"), "2026-01-05T00:59", False),
        (window("02:00", "05:00"), "2026-01-05T04:00", False),
        (window("02:00", "05:00"), "2026-07-06T00:00", True),  # 02:00 in summer
        (window("02:00", "05:00", "tue"), "2026-01-05T02:00", False),  # a Monday
        # Over midnight it belongs to the day on which it began.
        (window("22:00", "02:00", "fri"), "2026-01-09T22:00", True),  # Friday, 23:00
        (window("22:00", "02:00", "fri"), "2026-01-10T00:30", True),  # Saturday, 01:30
        (window("22:00", "02:00", "fri"), "2026-01-09T00:30", False),  # Friday, 01:30: that of Thursday
        (window("03:00", "03:00", "sun"), "2026-01-12T01:30", True),  # all day long, from Sunday to Monday
        # On 2026-03-29, 02:00 is followed by 03:00; on 2026-10-25, 03:00 by 02:00.
        (window("02:15", "02:45"), "2026-03-29T01:20", True),
        (window("02:15", "02:45"), "2026-03-29T00:50", False),
        (window("02:00", "05:00"), "2026-03-29T02:59", True),
        (window("02:00", "05:00"), "2026-03-29T03:00", False),
        (window("02:30", "02:45"), "2026-10-25T00:35", True),
        (window("02:30", "02:45"), "2026-10-25T01:35", False),
        (window("02:00", "05:00"), "2026-10-25T03:30", True),
    ],
)
def test_a_window_is_open_by_the_clocks_of_its_zone(hours: UpdateWindow, moment: str, is_open: bool) -> None:
    assert hours.is_open(utc(moment)) is is_open


@given(
    begins=st.times(),
    ends=st.times(),
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    zone=st.sampled_from(["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
)
def test_the_next_opening_comes_within_eight_days_and_is_open(
    begins: time, ends: time, days: set[str], moment: datetime, zone: str
) -> None:
    hours = UpdateWindow(tuple(days), begins, ends, ZoneInfo(zone))
    now = moment.replace(tzinfo=UTC)

    opening = hours.next_opening(now)

    assert now < opening <= now + timedelta(days=9)
    assert hours.is_open(opening)
