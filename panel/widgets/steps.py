"""The steps of a deployment with their marks and times, and the output of the step under way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Group
from rich.text import Text
from textual.widgets import Static

from panel.client import events
from panel.client.events import DECIDED, Event
from panel.client.model import Deployment, StepState

STEPS = {
    "prepare": "Checking prerequisites",
    "fetch": "Fetching the release",
    "build": "Building the image",
    "backup": "Backing up the data",
    "migrate": "Running migrations",
    "start": "Starting the new container",
    "verify": "Checking that it works",
    "switch": "Switching traffic",
    "retire": "Draining the old container",
}
"""The pipeline's steps in their order, and their names in the panel."""
OUTPUT_LINES = 8


@dataclass
class Progress:
    """The state of one deployment, from its events so far. Durations are in seconds."""

    states: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    began: dict[str, datetime] = field(default_factory=dict)
    output: dict[str, deque[str]] = field(default_factory=dict)
    """The newest lines of each step, as many as are shown."""
    current: str = ""
    decided: str = ""
    """The kind of the event in DECIDED that ended it, or the state in which it is; empty while it is running."""

    def take(self, event: Event) -> None:
        match event.what:
            case events.Step() as step:
                self._take_step(step, event.at)
            case events.Line(line=line):
                self.output.setdefault(self.current, deque(maxlen=OUTPUT_LINES)).append(line)
        if event.kind in DECIDED:
            self.decided = event.kind

    def take_record(self, record: Deployment) -> None:
        """The deployment as it is now, where its events cannot be followed."""
        for step in record.steps:
            self.states[step.name] = step.state
            self.began[step.name] = step.started_at
            if step.state == StepState.RUNNING:
                self.current = step.name
            if step.seconds is not None:
                self.seconds[step.name] = step.seconds
        if record.decided:
            self.decided = record.state

    def _take_step(self, taken: events.Step, at: datetime) -> None:
        step = taken.step
        self.states[step] = taken.state
        if taken.state == StepState.RUNNING:
            self.current = step
            self.began[step] = at
        elif taken.seconds is not None:
            self.seconds[step] = taken.seconds
        elif step in self.began:
            # Recorded by an earlier version: by a clock that may have been set meanwhile.
            self.seconds[step] = max(0.0, (at - self.began[step]).total_seconds())

    @property
    def can_cancel(self) -> bool:
        """Whether the deployment can be cancelled: its step switch has not begun."""
        return not self.decided and "switch" not in self.states


class StepList(Static):
    DEFAULT_CSS = """
    StepList { height: auto; padding: 1 0 1 1; }
    """

    def show(self, progress: Progress, now: datetime) -> None:
        lines: list[Text] = []
        for number, step in enumerate(STEPS, start=1):
            lines.append(_line(number, step, progress, now))
            if step == progress.current and not progress.decided:
                newest = progress.output.get(step, ())
                lines += [Text(f"     → {line}", "grey62", no_wrap=True) for line in newest]
        self.update(Group(*lines))


def _line(number: int, step: str, progress: Progress, now: datetime) -> Text:
    says = f"Step {number}/{len(STEPS)}: {STEPS[step]}".ljust(38)
    took = f"{progress.seconds.get(step, 0.0):.1f} s"
    match progress.states.get(step):
        case StepState.DONE:
            return Text.assemble(says, ("✓ ", "green3"), took)
        case StepState.FAILED:
            return Text.assemble((says, "red"), ("✗ ", "red"), took)
        case StepState.SKIPPED:
            return Text(f"{says}– skipped", "grey50")
        case StepState.RUNNING:
            running_s = max(0.0, (now - progress.began[step]).total_seconds())
            return Text.assemble((says, "bold"), ("⏳ ", "yellow"), f"({running_s:.0f} s)")
        case _:
            return Text(f"{says}(pending)", "grey50")
