"""Decides what becomes of an app whose active container has ended, or runs again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Action(Enum):
    """What is done next."""

    NOTHING = auto()
    FAIL_OVER = auto()
    """Wake the standby, and let it answer."""
    GO_BACK = auto()
    """Let the active container answer again, if it is ready."""
    PARK = auto()
    """Let the standby do no work."""


@dataclass(frozen=True)
class Facts:
    """What is known of an app. `active_runs` is the engine's word; `standby_fits`: it can run on the data as it is."""

    active_runs: bool
    failed_over: bool
    requests_wait: bool
    standby_fits: bool
    standby_runs: bool
    standby_parked: bool
    hold_left_s: float = 0.0


def decide(facts: Facts) -> Action:
    """What is done next.

    While requests wait, data is being changed and containers are stopped on purpose. A container that runs keeps the
    traffic however slow its answers are. An active one that crashed again and again gets it back after its hold.
    """
    if facts.requests_wait:
        return Action.NOTHING
    if not facts.active_runs:
        answers = facts.failed_over and facts.standby_runs
        return Action.FAIL_OVER if facts.standby_fits and not answers else Action.NOTHING
    if facts.failed_over:
        return Action.GO_BACK if facts.hold_left_s <= 0 or not facts.standby_runs else Action.NOTHING
    return Action.NOTHING if facts.standby_parked else Action.PARK
