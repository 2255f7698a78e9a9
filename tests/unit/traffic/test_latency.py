"""Percentiles from buckets are those of the times themselves, within one percent."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.traffic.latency import Buckets, add, bucket_of, percentiles, take_away

SHARES = (0.5, 0.9, 0.99)
times = st.lists(st.integers(0, 600_000), min_size=1, max_size=300)


def counted(found: list[int]) -> Buckets:
    buckets: Buckets = {}
    for ms in found:
        add(buckets, {bucket_of(ms): 1})
    return buckets


def exact(found: list[int], share: float) -> int:
    return sorted(found)[math.ceil(share * len(found) - 1e-9) - 1]


@given(times)
def test_each_percentile_is_one_percent_off_at_most(found: list[int]) -> None:
    for share, ms in zip(SHARES, percentiles(counted(found), SHARES), strict=True):
        right = exact(found, share)
        assert abs(ms - right) <= 0.01 * right + 1e-9


@given(times, times)
def test_those_of_two_times_together_are_those_of_all_requests(some: list[int], more: list[int]) -> None:
    merged = counted(some)
    add(merged, counted(more))

    assert merged == counted([*some, *more])

    take_away(merged, counted(more))

    assert merged == counted(some)


def test_without_requests_there_is_none() -> None:
    assert all(math.isnan(one) for one in percentiles({}, SHARES))


def test_ten_minutes_of_all_times_that_there_are_have_a_thousand_buckets() -> None:
    assert len({bucket_of(ms) for ms in range(600_000)}) < 700
