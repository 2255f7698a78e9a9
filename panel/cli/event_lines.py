"""Converts events to the lines that the command prints."""

from __future__ import annotations

from panel.client import events
from panel.client.events import Event
from panel.client.model import Deployment, StepState
from panel.text.drain import drained_in_words, draining_in_words
from panel.text.markup import inline, output
from panel.text.standby import standby_stays_in_words

STEP_MARKS = {StepState.DONE: "✓", StepState.FAILED: "✗", StepState.SKIPPED: "–"}


def progress_line(event: Event) -> str:
    """A line for one event of a deployment; empty for events that are not shown."""
    match event.what:
        case events.Step(step=step, state=state):
            return step_line(step, state)
        case events.Line(line=line):
            return f"  [dim]{output(line)}[/]"
        case events.Queued() | events.Started():
            return inline(f"{event.kind} {event.deployment}")
        case events.StandbyStays() as stays:
            return f"  [yellow]standby[/] {standby_stays_in_words(stays)}"
        case events.Waiting(cause=cause):
            return f"  [yellow]waits[/] {inline(cause)}"
        case events.Draining() as draining:
            return f"  [yellow]waits[/] {draining_in_words(draining)}"
        case events.Drained() as drained if drained.total:
            return f"  [yellow]{drained_in_words(drained)}[/]"
        case _:
            return ""


def step_lines(deployment: Deployment) -> list[str]:
    """The lines of the steps that have ended so far, as their events give them."""
    return [line for step in deployment.steps if (line := step_line(step.name, step.state))]


def step_line(step: str, state: str) -> str:
    """A line for a step that has ended; empty for one that has not."""
    return f"{STEP_MARKS[StepState(state)]} {inline(step)}" if state in STEP_MARKS else ""


def dated_event(event: Event) -> str:
    """A line for any event, also of an unknown kind: id, time, kind, app, deployment and fields."""
    about = " ".join(filter(None, (event.app, event.deployment)))
    fields = " ".join(f"{name}={value}" for name, value in event.fields.items() if value not in (None, ""))
    time = f"{event.at.astimezone():%H:%M:%S}"
    return f"[dim]{event.id:>6} {time}[/] {inline(event.kind):<14} {inline(about)} {inline(fields)}"
