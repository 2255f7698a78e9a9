"""The newest points, in memory that does not grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.traffic import Use
from orchestrator.traffic.kept_points import KeptPoints

LENGTH = 5
NONE = Use(0.0, 0.0)


def kept() -> KeptPoints[str, Use]:
    return KeptPoints(1, LENGTH, NONE, Use._make)


@given(st.lists(st.tuples(st.integers(1, 7), st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))), max_size=30))
def test_what_was_put_is_there_and_what_was_not_is_a_gap(steps: list[tuple[int, dict[str, int]]]) -> None:
    points, slot, put = kept(), 0, dict[int, dict[str, int]]()
    for after, values in steps:
        slot += after
        points.put(slot, {key: Use(value, 1.0) for key, value in values.items()}, "ab")
        put[slot] = values

    first = max(0, slot - LENGTH + 1) if steps else 0
    for key in "ab":
        wanted = [put[one].get(key, 0) if one in put else None for one in range(first, slot + 1)] if steps else []
        assert points.first_values(key, LENGTH) == wanted
        assert [None if one is None else one.cpu for one in points.last(key, LENGTH)] == wanted


def test_one_that_was_never_asked_takes_no_memory_and_one_that_is_gone_gives_it_back() -> None:
    points = kept()
    points.put(1, {"a": Use(1.0, 1.0)}, "ab")

    assert list(points._points) == ["a"]

    points.put(2, {"b": Use(1.0, 1.0)}, "c")

    assert points._points == {}
    assert points.first_values("a", 2) == [None, None]
    assert points.first_values("c", 2) == [None, 0.0]
