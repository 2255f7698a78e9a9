"""How far a deployment is, and how long it still takes, by the steps of earlier ones of the app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from panel.client.model import Deployment, DeploymentKind

COUNTED = 10
"""So many of the newest deployments that became live are counted."""
AFTER_THE_SWITCH = "retire"
MOST_OF_A_STEP = 0.95
"""A step that takes longer than usual is not said to be done."""


@dataclass(frozen=True)
class Expected:
    """`steps`: the usual seconds of each, by `deployments` earlier ones."""

    steps: Mapping[str, float]
    deployments: int

    @property
    def total_s(self) -> float:
        return sum(self.steps.values())


@dataclass(frozen=True)
class Estimate:
    """`share` of what is usual is done, from 0 to 1. `left_s`: the seconds until the switch; None: it takes longer than
    usual, so that nobody knows."""

    share: float
    left_s: float | None


def expected_of(history: Iterable[Deployment]) -> Expected | None:
    """What a deployment takes by those of `history`, the newest first; None if none of them became live."""
    live = [one for one in history if one.kind == DeploymentKind.DEPLOY and one.live_at and one.steps][:COUNTED]
    times: dict[str, list[float]] = {}
    for one in live:
        for step in one.steps:
            if step.seconds is not None and step.name != AFTER_THE_SWITCH:
                times.setdefault(step.name, []).append(step.seconds)
    steps = {name: median(seconds) for name, seconds in times.items()}
    return Expected(steps, len(live)) if sum(steps.values()) > 0 else None


def estimate(expected: Expected, ended: Iterable[str], running: Mapping[str, float]) -> Estimate:
    """`ended`: the steps that are done or were left out; `running`: the seconds since each other one has begun."""
    done = sum(expected.steps.get(name, 0.0) for name in ended)
    so_far, overdue = 0.0, False
    for name, seconds in running.items():
        usual = expected.steps.get(name, 0.0)
        so_far += min(seconds, usual * MOST_OF_A_STEP)
        overdue = overdue or seconds > max(2 * usual, usual + 5)
    left_s = expected.total_s - done - so_far
    return Estimate(min(1.0, (done + so_far) / expected.total_s), None if overdue else max(0.0, left_s))
