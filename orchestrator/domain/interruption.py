"""What is said of a deployment that the end of the orchestrator interrupted, by a stop or without one."""

from __future__ import annotations

from orchestrator.domain.askers import BY_AUTO_UPDATE, BY_PUSH
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, State, StepName

REQUEST_AGAIN = "Request it again."
_NOTES = {Interrupter.PERSON: "cancelled", Interrupter.STOP: "interrupted by a stop of the orchestrator"}
_BEGUN_AGAIN = {
    BY_PUSH: f"It is begun again at the next start, if nothing else was deployed by then. Otherwise: {REQUEST_AGAIN}",
    BY_AUTO_UPDATE: "auto_update begins it again after the next start, when a check finds it.",
}


def tip_of(deployment: Deployment) -> str:
    """What becomes of it next, or what to do."""
    again = _BEGUN_AGAIN.get(deployment.requested_by) if deployment.kind is Kind.DEPLOY else None
    return again or REQUEST_AGAIN


def end_by(by: Interrupter, deployment: Deployment, step: StepName) -> tuple[State, Failure]:
    """State and failure of a deployment that was interrupted at this step: a person cancels, and all else is a failure
    that no release has caused."""
    if by is Interrupter.PERSON:
        return State.CANCELLED, Failure(step, f"The {deployment.kind_in_words} was cancelled.")
    return State.FAILED, Failure(step, f"The orchestrator was stopped during {step}.", tip_of(deployment))


def note_of(by: Interrupter) -> str:
    """What is on record of a step that this has interrupted, before it is undone."""
    return _NOTES[by]


def noted(note: str) -> Interrupter | None:
    """What has interrupted a step, by its note; None if it failed by itself, or if a kill has left no note."""
    return next((by for by, said in _NOTES.items() if said == note), None)


def is_by_end_of_orchestrator(deployment: Deployment) -> bool:
    return deployment.interrupted_by in (Interrupter.STOP, Interrupter.KILL)
