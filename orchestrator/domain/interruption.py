"""What is said of a deployment that the end of the orchestrator interrupted, by a stop or without one."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.domain.askers import BY_AUTO_UPDATE, BY_PUSH
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, State, StepName
from orchestrator.domain.release_history import MOST_KILLED, Attempt, killed

REQUEST_AGAIN = "Request it again."
_NOTES = {Interrupter.PERSON: "cancelled", Interrupter.STOP: "interrupted by a stop of the orchestrator"}
_BEGUN_AGAIN = {
    BY_PUSH: "It is begun again by itself after the orchestrator's start, if nothing else was deployed by then. "
    f"Otherwise: {REQUEST_AGAIN}",
    BY_AUTO_UPDATE: "auto_update begins it again after the orchestrator's start, when a check finds it.",
}


def tip_of(deployment: Deployment, before: Iterable[Attempt] = (), by: Interrupter = Interrupter.KILL) -> str:
    """What becomes of it next, or what to do. `before`: the app's attempts so far, if they are known:
    what was killed with the orchestrator again and again is not begun again."""
    again = _BEGUN_AGAIN.get(deployment.requested_by) if deployment.kind is Kind.DEPLOY else None
    kills = killed(before, deployment.release.source_revision if deployment.release else deployment.ref)
    kills += by is Interrupter.KILL
    if again and kills >= MOST_KILLED:
        return f"It is not begun again by itself: the orchestrator was killed during it {kills} times. {REQUEST_AGAIN}"
    return again or REQUEST_AGAIN


def end_by(
    by: Interrupter, deployment: Deployment, step: StepName, before: Iterable[Attempt] = ()
) -> tuple[State, Failure]:
    """State and failure of a deployment that was interrupted at this step: a person cancels, and all else is a failure
    that no release has caused. `before`: as for `tip_of`."""
    if by is Interrupter.PERSON:
        return State.CANCELLED, Failure(step, f"The {deployment.kind_in_words} was cancelled.")
    return State.FAILED, Failure(step, f"The orchestrator was stopped during {step}.", tip_of(deployment, before, by))


def note_of(by: Interrupter) -> str:
    """What is on record of a step that this has interrupted, before it is undone."""
    return _NOTES[by]


def noted(note: str) -> Interrupter | None:
    """What has interrupted a step, by its note; None if it failed by itself, or if a kill has left no note."""
    return next((by for by, said in _NOTES.items() if said == note), None)


def what_interrupted(deployment: Deployment) -> str:
    """What is on record of a migration or restore of a deployment that was interrupted in it: as of the step."""
    return next((step.note for step in reversed(deployment.steps) if noted(step.note)), "interrupted")


def is_by_end_of_orchestrator(deployment: Deployment) -> bool:
    return deployment.interrupted_by in (Interrupter.STOP, Interrupter.KILL)
