"""Room that several share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.shares import fair_share

COUNTS = st.lists(st.integers(1, 1000), min_size=1, max_size=20)


@given(COUNTS, st.integers(20, 5000))
def test_all_that_is_left_fits_and_no_larger_share_would(counts: list[int], most: int) -> None:
    share = fair_share(counts, most)

    assert sum(min(count, share) for count in counts) <= most
    assert share == most or sum(min(count, share + 1) for count in counts) > most


@given(COUNTS, st.integers(20, 5000))
def test_whoever_has_no_more_than_an_equal_part_loses_nothing(counts: list[int], most: int) -> None:
    assert fair_share(counts, most) >= most // len(counts)
