"""What becomes of a deployment that was interrupted."""

from __future__ import annotations

import pytest

from orchestrator.clock import now
from orchestrator.deploy.switch_outcome import Interruption, Outcome, may_be_cancelled, outcome_of
from orchestrator.domain.deployment import Deployment, Kind, State, StepName, StepRecord, StepState

RUNNING, DONE, FAILED = StepState.RUNNING, StepState.DONE, StepState.FAILED


def deployment(state: State, step: StepName, step_state: StepState) -> Deployment:
    return Deployment("1", "shop", Kind.DEPLOY, state, "me", now(), steps=(StepRecord(step, step_state, now()),))


@pytest.mark.parametrize(
    ("state", "step", "step_state", "interruption", "outcome"),
    [
        (State.RUNNING, StepName.VERIFY, RUNNING, Interruption.RESTART, Outcome.COMPENSATE),
        (State.RUNNING, StepName.SWITCH, RUNNING, Interruption.RESTART, Outcome.FINISH_SWITCH),
        (State.RUNNING, StepName.SWITCH, FAILED, Interruption.RESTART, Outcome.COMPENSATE),
        (State.LIVE, StepName.SWITCH, RUNNING, Interruption.RESTART, Outcome.KEEP_LIVE),
        (State.LIVE, StepName.SWITCH, DONE, Interruption.RESTART, Outcome.KEEP_LIVE),
        (State.RUNNING, StepName.SWITCH, FAILED, Interruption.STEP_FAILED, Outcome.COMPENSATE),
        (State.LIVE, StepName.SWITCH, FAILED, Interruption.STEP_FAILED, Outcome.KEEP_LIVE),
        (State.RUNNING, StepName.SWITCH, RUNNING, Interruption.CANCELLED, Outcome.COMPENSATE),
        (State.LIVE, StepName.SWITCH, RUNNING, Interruption.CANCELLED, Outcome.KEEP_LIVE),
    ],
)
def test_what_is_on_record_decides_what_becomes_of_an_interrupted_deployment(
    state: State, step: StepName, step_state: StepState, interruption: Interruption, outcome: Outcome
) -> None:
    assert outcome_of(deployment(state, step, step_state), interruption) is outcome


@pytest.mark.parametrize("step", list(StepName))
def test_a_deployment_may_be_cancelled_until_its_switch_has_begun(step: StepName) -> None:
    assert may_be_cancelled(deployment(State.RUNNING, step, RUNNING)) is (step is not StepName.SWITCH)
