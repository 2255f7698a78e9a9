"""How long a deployment usually takes, by earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orchestrator.domain.changelog import Changelog, DependencyChange, usual_seconds
from orchestrator.domain.release import Change


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


def test_what_is_recorded_of_a_deployment_names_its_dependencies_in_one_line_that_stays_short() -> None:
    change = Change("r1", "feat", "", "a cart")
    needs = tuple(DependencyChange("python", f"p{number}", "1", "2" if number else "") for number in range(30))

    assert Changelog((change,)).recorded == Changelog((change,), dependencies=()).recorded == (change,)
    first, line = Changelog((change,), dependencies=needs[:2]).recorded
    assert (first, line.revision, line.subject) == (change, "", "Updated dependencies (without p0, p1 2)")
    *_, line = Changelog((change,), dependencies=needs, dependencies_left_out=70).recorded
    assert line.subject.endswith("p9 2, 90 more)")
