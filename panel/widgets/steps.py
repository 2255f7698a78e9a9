"""The pipeline's steps with their marks and times, and the output of the one under way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Group
from rich.text import Text
from textual.widgets import Static

from panel.model import STEPS, Event

SAYS = {
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
OUTPUT_LINES = 8


@dataclass
class Progress:
    """What the events of one deployment have said so far."""

    states: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    output: dict[str, list[str]] = field(default_factory=dict)
    current: str = ""
    decided: str = ""

    def take(self, event: Event) -> None:
        fields = event.fields
        if event.kind == "step":
            step, state = str(fields.get("step")), str(fields.get("state"))
            self.states[step] = state
            moment = event.at.timestamp()
            if state == "running":
                self.current = step
                self.began[step] = moment
            elif step in self.began:
                self.seconds[step] = moment - self.began[step]
        elif event.kind == "line":
            self.output.setdefault(self.current, []).append(str(fields.get("line")))
        elif event.kind in ("live", "failed", "cancelled", "superseded", "rolled_back"):
            self.decided = event.kind

    @property
    def cancelling_is_safe(self) -> bool:
        return not self.decided and "switch" not in self.states


class StepList(Static):
    DEFAULT_CSS = """
    StepList { height: auto; padding: 1 2; }
    """

    def show(self, progress: Progress) -> None:
        lines: list[Text] = []
        for number, step in enumerate(STEPS, start=1):
            lines.append(_line(number, step, progress))
            if step == progress.current and not progress.decided:
                lines += [
                    Text(f"     → {line}", "grey62", no_wrap=True) for line in _last(progress.output.get(step, []))
                ]
        self.update(Group(*lines))


def _line(number: int, step: str, progress: Progress) -> Text:
    state = progress.states.get(step, "")
    says = f"Step {number}/{len(STEPS)}: {SAYS[step]}".ljust(42, " ")
    if state == "done":
        return Text.assemble(says, ("✓ ", "green3"), f"{progress.seconds.get(step, 0.0):.1f} s")
    if state == "failed":
        return Text.assemble((says, "red"), ("✗ ", "red"), f"{progress.seconds.get(step, 0.0):.1f} s")
    if state == "running":
        waited = max(0.0, time.time() - progress.began[step])
        return Text.assemble((says, "bold"), ("⏳ ", "yellow"), f"({waited:.0f} s)")
    return Text(f"{says}(pending)", "grey50")


def _last(lines: list[str]) -> list[str]:
    return lines[-OUTPUT_LINES:]
