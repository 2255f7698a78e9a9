"""What becomes of a deployment that was interrupted, above all in the middle of its switch: decided here alone.

The proxy may have been told of a switch, or not; the journal may have its end, or not. What the journal has is what
counts: the candidate had proved itself before the switch was meant, so that going on is as good as going back.
"""

from __future__ import annotations

from enum import Enum, auto

from orchestrator.domain.deployment import Deployment, State, StepName, StepState


class Interruption(Enum):
    """How a deployment was interrupted."""

    STEP_FAILED = auto()
    """A step raised an error, in an orchestrator that runs on."""
    CANCELLED = auto()
    """Somebody cancelled it, or the orchestrator is being stopped."""
    RESTART = auto()
    """The orchestrator was killed; it is found at its next start."""


class Outcome(Enum):
    """What is done next."""

    KEEP_LIVE = auto()
    """The switch is on record: the release is live. Resume paused requests and record the step's end."""
    FINISH_SWITCH = auto()
    """The switch was meant, and nobody knows how far it came: verify the candidate again, and switch."""
    COMPENSATE = auto()
    """Undo each step that was begun, in reverse; the traffic goes to where it was."""


def outcome_of(recorded: Deployment, interruption: Interruption) -> Outcome:
    """`recorded` is the deployment as the journal has it, with its steps."""
    if recorded.state is State.LIVE:
        return Outcome.KEEP_LIVE
    if interruption is Interruption.RESTART and _was_switching(recorded):
        return Outcome.FINISH_SWITCH
    return Outcome.COMPENSATE


def may_be_cancelled(recorded: Deployment) -> bool:
    """Not once traffic may have been switched: a rollback is the way back then."""
    return not recorded.has_begun(StepName.SWITCH)


def _was_switching(recorded: Deployment) -> bool:
    return any(step.name is StepName.SWITCH and step.state is StepState.RUNNING for step in recorded.steps)
