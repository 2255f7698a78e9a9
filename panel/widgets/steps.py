"""The steps of a deployment with their marks and times, and the output of the step under way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Group
from rich.text import Text
from textual.widgets import Static

from panel.client import events
from panel.client.events import DECIDED, NOT_LIVE, Event
from panel.client.model import Deployment, DeploymentKind, DeploymentState, StepState
from panel.text.expected import Estimate, Expected, estimate
from panel.widgets.undo_list import OneUndo

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
"""The steps of a deployment in their order, and their names in the panel."""
OTHERWISE = {
    DeploymentKind.RESTORE.value: {"migrate": "Replacing the data", "start": "Starting the container"},
    DeploymentKind.ROLLBACK.value: {"migrate": "Changing the data", "start": "Making the standby ready"},
}
"""Their names in what does something else in them."""
SWITCH, RETIRE = "switch", "retire"
"""The step from which on a deployment cannot be cancelled, and the one that runs after it is known how it ended."""
SAFE_UNTIL = "     ┄┄ until here it can be cancelled and is undone ┄┄"
OUTPUT_LINES = 8
MOST_WARNINGS = 4
WARNING = "! "
"""So a line of output begins that is told again with the result."""


@dataclass
class Progress:
    """The state of one deployment, from its events so far. Durations are in seconds."""

    states: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    began: dict[str, datetime] = field(default_factory=dict)
    output: dict[str, deque[str]] = field(default_factory=dict)
    """The newest lines of each step, as many as are shown."""
    warnings: list[str] = field(default_factory=list)
    """Lines of output that warn, each once, at most MOST_WARNINGS."""
    undos: dict[str, OneUndo] = field(default_factory=dict)
    """By step, in the order in which they began."""
    current: str = ""
    kind: str = DeploymentKind.DEPLOY
    """One of DeploymentKind, or another one of a newer orchestrator."""
    decided: str = ""
    """The kind of the event in DECIDED that ended it, or the state in which it is; empty while it is running."""

    def take(self, event: Event) -> None:
        match event.what:
            case events.Started(deployment_kind=kind) if kind:
                self.kind = kind
            case events.Step() as step:
                self._take_step(step, event.at)
            case events.Undo() as undo:
                before = self.undos.get(undo.step)
                self.undos[undo.step] = OneUndo(before.began if before else event.at, undo)
            case events.Line(line=line):
                self.output.setdefault(self.current, deque(maxlen=OUTPUT_LINES)).append(line)
                # The output of a build may begin so, too: what a step of ours says of the release comes before it.
                is_warning = self.current == "fetch" and line.startswith(WARNING) and line not in self.warnings
                if is_warning and len(self.warnings) < MOST_WARNINGS:
                    self.warnings.append(line)
        if event.kind in DECIDED:
            self.decided = event.kind

    def take_record(self, record: Deployment) -> None:
        """The deployment as it is now, where its events cannot be followed."""
        self.kind = record.kind
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
        """Whether the deployment can be cancelled: its step switch has not begun, and no step has failed."""
        return not self.decided and SWITCH not in self.states and not self.is_undone

    @property
    def is_undone(self) -> bool:
        """Whether a step has failed, so that what was done is being undone."""
        return not self.decided and StepState.FAILED in self.states.values()

    def estimate(self, expected: Expected, now: datetime) -> Estimate:
        """How far it is, and how long it still takes, by earlier deployments."""
        running = {
            name: max(0.0, (now - self.began[name]).total_seconds())
            for name, state in self.states.items()
            if state == StepState.RUNNING
        }
        return estimate(expected, [name for name in self.states if name not in running], running)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that are shown. A rollback or restore takes some of them, as its data needs it: of these it is
        shown what has begun."""
        return tuple(STEPS) if self.kind == DeploymentKind.DEPLOY else tuple(one for one in self.states if one in STEPS)

    @property
    def has_failed(self) -> bool:
        """Whether it ended without being live, so that no further step is run."""
        return self.decided in {*NOT_LIVE, DeploymentState.ROLLED_BACK}


class StepList(Static):
    DEFAULT_CSS = """
    StepList { height: auto; padding: 1 0 1 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows = 0
        """From the first step to the one under way, with its output."""

    def show(self, progress: Progress, now: datetime) -> None:
        self._rows = _rows_to_current(progress)
        self.update(Group(*step_lines(progress, now)))

    @property
    def bottom_of_current(self) -> int:
        """The row after the step under way and its output, among the widgets that are scrolled with this one."""
        return self.virtual_region.y + self.styles.padding.top + self._rows


def _rows_to_current(progress: Progress) -> int:
    if progress.current not in progress.steps:
        return 0
    return progress.steps.index(progress.current) + 1 + len(progress.output.get(progress.current, ()))


def step_lines(progress: Progress, now: datetime) -> list[Text]:
    """A line for each step, and the newest output below the one under way."""
    lines: list[Text] = []
    for number, step in enumerate(progress.steps, start=1):
        if step == SWITCH and progress.can_cancel:
            lines.append(Text(SAFE_UNTIL, "grey50", no_wrap=True, overflow="ellipsis"))
        lines.append(_line(number, step, progress, now))
        if step == progress.current and not progress.decided:
            newest = progress.output.get(step, ())
            lines += [Text(f"     → {line}", "grey62", no_wrap=True) for line in newest]
    return lines


def _line(number: int, step: str, progress: Progress, now: datetime) -> Text:
    of = f"/{len(STEPS)}" if progress.kind == DeploymentKind.DEPLOY else ""
    says = f"Step {number}{of}: {OTHERWISE.get(progress.kind, {}).get(step, STEPS[step])}".ljust(38)
    took = f"{progress.seconds.get(step, 0.0):.1f} s"
    match progress.states.get(step):
        case StepState.DONE:
            return Text.assemble(says, ("✓ ", "green3"), took)
        case StepState.FAILED:
            return Text.assemble((says, "red"), ("✗ ", "red"), took)
        case StepState.SKIPPED:
            return Text(f"{says}– skipped", "grey50")
        case StepState.RUNNING if progress.has_failed:
            return Text(f"{says}– interrupted", "grey50")
        case StepState.RUNNING:
            running_s = max(0.0, (now - progress.began[step]).total_seconds())
            return Text.assemble((says, "bold"), ("⏳ ", "yellow"), f"({running_s:.0f} s)")
        case _:
            return Text(f"{says}{_why_not_begun(step, progress)}", "grey50")


def _why_not_begun(step: str, progress: Progress) -> str:
    if progress.decided == DeploymentState.UNCHANGED:
        return "– not needed"
    is_left_out = progress.has_failed or progress.is_undone or (progress.decided and step != RETIRE)
    return "– not run" if is_left_out else "not begun yet"
