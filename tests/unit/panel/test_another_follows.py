"""A rollback does not last where a deployment was waiting: whoever asked for it is told, and can cancel the other."""

from __future__ import annotations

import pytest

from panel.client.model import App, Deployment
from panel.text.outcome import outcome
from tests.support import api_answers as answers

WAITING: dict[str, object] = {"id": "d43", "state": "queued", "step": None}


def said(kind: str, deployment: dict[str, object] | None) -> str:
    ended = Deployment.model_validate(answers.deployment(kind=kind))
    return outcome(ended, App.model_validate(answers.app(deployment=deployment)))


@pytest.mark.parametrize("kind", ["rollback", "restore"])
@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_deployment_that_takes_the_traffic_from_a_rollback_is_told(kind: str, state: str) -> None:
    told = said(kind, WAITING | {"state": state})
    assert "Deployment d43 was asked for before, and takes the traffic when it is live." in told
    assert "changeover cancel d43" in told


@pytest.mark.parametrize(
    ("kind", "deployment"), [("deploy", WAITING), ("rollback", None), ("rollback", WAITING | {"id": "d42"})]
)
def test_nothing_is_told_where_nothing_takes_it(kind: str, deployment: dict[str, object] | None) -> None:
    assert "was asked for before" not in said(kind, deployment)
