"""What a restart does with a deployment that was interrupted."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.journal import now
from orchestrator.model import Deployment, Kind, State, StepName, StepRecord, StepState
from orchestrator.recovery import was_switching


def test_only_a_switch_that_was_begun_is_finished_after_a_restart() -> None:
    deployment = Deployment("1", "shop", Kind.DEPLOY, State.RUNNING, "me", now())
    verify = StepRecord(StepName.VERIFY, StepState.RUNNING, now())
    switch = StepRecord(StepName.SWITCH, StepState.RUNNING, now())

    assert not was_switching(replace(deployment, steps=(verify,)))
    assert was_switching(replace(deployment, steps=(verify, switch)))
