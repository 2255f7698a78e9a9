"""How the progress and the end of a deployment are printed: for people, for a CI job (`ci_log.py`), or not at all."""

from __future__ import annotations

from typing import Protocol

from panel.cli import event_lines
from panel.cli.output import err, out
from panel.client import events
from panel.client.events import Event
from panel.client.model import App, Deployment
from panel.text.outcome import outcome


class Progress(Protocol):
    """What is told of one deployment, from its beginning to its outcome. Each step is told once."""

    def event(self, event: Event) -> None:
        """Tell an event, if its kind is one that is told."""

    def change(self, now: Deployment) -> None:
        """Tell the steps that have ended and were not told: there is no stream of events, or none any more."""

    def lost(self, deployment: str, cause: str) -> None:
        """Tell that its events cannot be followed."""

    def close(self) -> None:
        """Leave the output in order, whatever comes next: an outcome, an error or nothing. Can be called twice."""

    def outcome(self, ended: Deployment, app: App | None) -> None:
        """Tell how it ended, with the app as it is now."""


class Silent:
    """Tells nothing: the API's answer is printed as JSON, or the exit code says it."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def change(self, now: Deployment) -> None:
        """Nothing."""

    def lost(self, deployment: str, cause: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def outcome(self, ended: Deployment, app: App | None) -> None:
        """Nothing."""


class ForPeople:
    """Coloured lines. What stands in the output already is not told again in the outcome. `steps_only`: no output of
    steps."""

    def __init__(self, *, steps_only: bool = False) -> None:
        self._steps_only = steps_only
        self._told: set[str] = set()
        self._output: set[str] = set()

    def event(self, event: Event) -> None:
        if self._steps_only and not isinstance(event.what, events.Step):
            return
        if isinstance(event.what, events.Line):
            self._output.add(event.what.line.rstrip())
        if line := event_lines.progress_line(event):
            self._told.add(line)
            out.print(line)

    def change(self, now: Deployment) -> None:
        for line in event_lines.step_lines(now):
            if line not in self._told:
                self._told.add(line)
                out.print(line)

    def lost(self, deployment: str, cause: str) -> None:
        tell_lost(deployment, cause)

    def close(self) -> None:
        """Nothing is open."""

    def outcome(self, ended: Deployment, app: App | None) -> None:
        out.print(outcome(ended, app, self._output))


def tell_lost(deployment: str, cause: str) -> None:
    says = f"Its events cannot be followed: {cause} Deployment {deployment} is asked for instead."
    err.print(says, style="yellow", markup=False)
