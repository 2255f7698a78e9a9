"""Decides what is done with an interrupted deployment, above all with one that was interrupted during its switch.

After an interruption, the proxy may or may not have switched. The decision uses the journal alone. The candidate was
verified before the switch began, so a switch can be finished as well as undone.
"""

from __future__ import annotations

from enum import Enum, auto

from orchestrator.domain.deployment import Deployment, State, StepName, StepState


class Interruption(Enum):
    """How a deployment was interrupted."""

    STEP_FAILED = auto()
    """A step raised an error; the orchestrator continues to run."""
    CANCELLED = auto()
    """The deployment was cancelled, or the orchestrator is stopping."""
    RESTART = auto()
    """The orchestrator was stopped or killed during the deployment, and has started again."""


class Outcome(Enum):
    """What is done next."""

    KEEP_LIVE = auto()
    """The journal has the release as live: resume paused requests, and record the step's end."""
    FINISH_SWITCH = auto()
    """The switch had begun and may have been done: wait until the candidate is ready, and switch again."""
    COMPENSATE = auto()
    """Undo each step that was begun, in reverse order."""


def outcome_of(recorded: Deployment, interruption: Interruption) -> Outcome:
    """What is done next. `recorded` is the deployment as recorded in the journal, with its steps."""
    if recorded.state is State.LIVE:
        return Outcome.KEEP_LIVE
    if interruption is Interruption.RESTART and _was_switching(recorded):
        return Outcome.FINISH_SWITCH
    return Outcome.COMPENSATE


def may_be_cancelled(recorded: Deployment) -> bool:
    """Whether a deployment may be cancelled: not after its step switch has begun; then it can be rolled back."""
    return not recorded.has_begun(StepName.SWITCH)


def is_being_undone(recorded: Deployment) -> bool:
    """Whether a step of what has not ended has failed: what it did is taken back, and a cancel changes nothing."""
    return any(step.state is StepState.FAILED for step in recorded.steps)


def _was_switching(recorded: Deployment) -> bool:
    return any(step.name is StepName.SWITCH and step.state is StepState.RUNNING for step in recorded.steps)
