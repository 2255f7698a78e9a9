"""How far a deployment is, by the steps of earlier ones."""

from __future__ import annotations

from typing import Any

import pytest

from panel.client.model import Deployment
from panel.text.expected import Estimate, Expected, estimate, expected_of
from panel.widgets.estimate_bar import bar
from tests.support import api_answers as answers
from tests.support.api_answers import before


def earlier(state: str = "live", kind: str = "deploy", **seconds: float) -> Deployment:
    steps = [
        {"name": name, "state": "done", "started_at": before(hours=1), "seconds": took}
        for name, took in seconds.items()
    ]
    live: dict[str, Any] = {"live_at": before(hours=1)} if state == "live" else {}
    return Deployment.model_validate(answers.deployment("d1", state, kind=kind, steps=steps, **live))


def test_each_step_takes_the_median_of_those_that_became_live() -> None:
    history = [
        earlier(build=10, switch=1, retire=99),
        earlier("failed", build=500),
        earlier(kind="rollback", switch=500),
        earlier(build=30, switch=1),
        earlier(build=20, switch=3),
    ]

    assert expected_of(history) == Expected({"build": 20, "switch": 1}, 3)


@pytest.mark.parametrize("history", [[], [earlier("failed", build=1)], [earlier()]])
def test_without_earlier_ones_nothing_is_expected(history: list[Deployment]) -> None:
    assert expected_of(history) is None


@pytest.mark.parametrize(
    ("ended", "running", "found"),
    [
        ([], {}, Estimate(0, 20)),
        (["fetch"], {"build": 4.0}, Estimate(0.4, 12)),
        (["fetch"], {"build": 18.0}, Estimate(0.96, 20 - 4 - 15.2)),
        (["fetch"], {"build": 40.0}, Estimate(0.96, None)),
        (["fetch", "build", "observe"], {}, Estimate(1, 0)),
    ],
)
def test_what_takes_longer_than_usual_is_not_said_to_be_done(
    ended: list[str], running: dict[str, float], found: Estimate
) -> None:
    now = estimate(Expected({"fetch": 4, "build": 16}, 5), ended, running)

    assert now.share == pytest.approx(found.share)
    assert now.left_s == (found.left_s if found.left_s is None else pytest.approx(found.left_s))


def test_the_bar_says_how_long_it_still_takes() -> None:
    assert bar(Estimate(0.6, 12.2), 5, 65).plain == "━━━━━━──── 60 %  about 12 s more (by 5 earlier deployments)"
    assert bar(Estimate(0.96, None), 1, 65).plain.endswith("96 %  takes longer than usual (by 1 earlier deployment)")
    assert bar(Estimate(0.5, 300), 1, 40).plain == "━━━━━───── 50 %  about 5 min more"
