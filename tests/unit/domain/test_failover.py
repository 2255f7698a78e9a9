"""When the standby answers, when the active release does again, and when nothing is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.crashes import FIRST_HOLD_S, LONGEST_HOLD_S, REMEMBERED_S, hold_s, is_loop
from orchestrator.domain.failover import Action, Facts, decide

WELL = Facts(
    active_runs=True,
    failed_over=False,
    requests_wait=False,
    standby_fits=True,
    standby_runs=False,
    standby_parked=True,
)
GONE = replace(WELL, active_runs=False)
BACK = replace(WELL, failed_over=True, standby_runs=True, standby_parked=False)
FACTS = st.builds(Facts, *[st.booleans()] * 6, st.sampled_from([0.0, 10.0]))


@pytest.mark.parametrize(
    ("facts", "action"),
    [
        (WELL, Action.NOTHING),
        (GONE, Action.FAIL_OVER),
        (replace(GONE, standby_fits=False), Action.NOTHING),
        (replace(GONE, requests_wait=True), Action.NOTHING),
        (replace(GONE, failed_over=True, standby_runs=True), Action.NOTHING),
        (replace(GONE, failed_over=True, standby_runs=False), Action.FAIL_OVER),
        (BACK, Action.GO_BACK),
        (replace(BACK, hold_left_s=10.0), Action.NOTHING),
        (replace(BACK, hold_left_s=10.0, standby_runs=False), Action.GO_BACK),
        (replace(WELL, standby_parked=False), Action.PARK),
    ],
)
def test_what_is_done_follows_from_what_is_known(facts: Facts, action: Action) -> None:
    assert decide(facts) is action


@given(FACTS)
def test_a_container_that_runs_is_never_failed_over(facts: Facts) -> None:
    if facts.active_runs:
        assert decide(facts) is not Action.FAIL_OVER


@given(FACTS)
def test_nothing_is_done_while_requests_wait_and_no_standby_is_woken_that_cannot_run(facts: Facts) -> None:
    if facts.requests_wait:
        assert decide(facts) is Action.NOTHING
    if not facts.standby_fits:
        assert decide(facts) is not Action.FAIL_OVER


@given(st.lists(st.floats(0, 5000), max_size=20).map(sorted), st.floats(0, 5000))
def test_the_first_crash_holds_nothing_and_more_crashes_never_hold_for_less(crashes: list[float], later: float) -> None:
    now = (crashes[-1] if crashes else 0.0) + later
    count = len([at for at in crashes if now - at < REMEMBERED_S])

    assert (hold_s(crashes, now) == 0) is (count <= 1)
    assert hold_s(crashes, now) <= min(hold_s([*crashes, now], now), LONGEST_HOLD_S)


def test_a_loop_is_two_crashes_in_a_minute_or_three_in_two_minutes() -> None:
    assert not is_loop([], 0)
    assert not is_loop([0], 1)
    assert is_loop([0, 4], 8)
    assert not is_loop([0, 4], 70)
    assert is_loop([0, 50, 100], 115)
    assert not is_loop([0, 50, 100], 165)
    assert hold_s([0, 4], 5) == FIRST_HOLD_S
