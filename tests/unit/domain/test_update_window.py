"""The window of updates: days, midnight, and the two days of the year on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
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


CHANGES = ["2026-03-29", "2027-03-28", "2026-10-25", "2027-03-14", "2026-11-01", "2027-04-04", "2026-10-04"]
"""Days on which the clocks of one of ZONES change."""
ZONES = ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]
AT_NIGHT = st.integers(90, 210).map(lambda minutes: time(minutes // 60, minutes % 60))
"""When clocks change."""
AROUND_CHANGES = st.builds(
    lambda day, offset: datetime.fromisoformat(day) + offset,
    st.sampled_from(CHANGES),
    st.timedeltas(timedelta(days=-16), timedelta(days=2)),
)


@given(
    begins=st.times() | AT_NIGHT,
    ends=st.times() | AT_NIGHT,
    days=st.sets(st.sampled_from(DAYS), min_size=1, max_size=1) | st.sets(st.sampled_from(DAYS), min_size=1),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)) | AROUND_CHANGES,
    zone=st.sampled_from(ZONES),
)
@example(time(2), time(3), {"sun"}, datetime(2027, 3, 21, 12), "Europe/Zurich")
@example(time(2, 30), time(3), {"sun"}, datetime(2027, 3, 8), "America/New_York")
def test_the_next_opening_comes_within_fifteen_days_and_is_open(
    begins: time, ends: time, days: set[str], moment: datetime, zone: str
) -> None:
    """A window of nothing but the hour that clocks leave out does not open on that day: it raised then."""
    hours = UpdateWindow(tuple(days), begins, ends, ZoneInfo(zone))
    now = moment.replace(tzinfo=UTC)

    opening = hours.next_opening(now)

    assert now < opening <= now + timedelta(days=15)
    assert hours.is_open(opening)


def test_a_window_whose_hour_is_left_out_opens_a_week_later() -> None:
    hours = window("02:00", "03:00", "sun")

    assert hours.next_opening(utc("2027-03-21T12:00")) == utc("2027-04-04T00:00")
