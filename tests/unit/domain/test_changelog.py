"""How long a deployment usually takes, by earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orchestrator.domain.changelog import usual_seconds


@dataclass(frozen=True)
class Timed:
    name: str
    seconds: float | None


def steps(**seconds: float | None) -> list[Timed]:
    return [Timed(name, length) for name, length in seconds.items()]


@pytest.mark.parametrize(
    ("deployments", "seconds"),
    [
        ([], None),
        ([[]], None),
        ([steps(build=4.0, verify=1.0)], 5.0),
        ([steps(build=4.0), steps(build=5.0), steps(build=100.0)], 5.0),
        # The median of each step, not of the sums: 2 and 3, of 101, 5 and 4.
        ([steps(build=100.0, verify=1.0), steps(build=2.0, verify=3.0), steps(build=1.0, verify=3.0)], 5.0),
        # A step that most deployments do not have.
        ([steps(build=1.0, migrate=60.0), steps(build=1.0), steps(build=1.0)], 1.0),
        ([steps(build=None), steps(build=7.0)], 7.0),
        ([steps(build=None, verify=1.0)], None),
    ],
)
def test_a_deployment_takes_the_median_of_each_step(deployments: list[list[Timed]], seconds: float | None) -> None:
    assert usual_seconds(deployments) == seconds
