"""The log of a deployment in a CI job: each step as a group that the forge can fold, and no line that it would obey.

What an app, a build or a commit prints is printed too, and may look like an instruction to the runner:
`::set-env name=PATH::…` for GitHub and Forgejo, `section_start:…` for GitLab. Control characters are taken out of every
line, and one that a runner would obey gets a blank (`runner_commands.py`).
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from rich.text import Text

from border.plain import one_line, plain
from panel.cli.event_lines import progress_line, step_line
from panel.cli.progress import ForPeople, Progress, Silent, tell_lost
from panel.cli.runner_commands import GuardedStream, harmless
from panel.client import events
from panel.client.events import Event
from panel.client.model import App, Deployment, StepState
from panel.text.outcome import outcome

_IN_DOCKERFILE = re.compile(r"^\s*([\w./-]{0,200}Dockerfile[\w.-]{0,100}):(\d{1,6})\s*$")
"""How BuildKit says which line failed."""


class LogFormat(StrEnum):
    """`auto`: that of the CI job this runs in, and otherwise the one for people."""

    AUTO = "auto"
    PLAIN = "plain"
    GITHUB = "github"
    GITLAB = "gitlab"


class CiLog:
    """A line for each event, with the time in UTC. `plain` is this; the others put steps into groups."""

    def __init__(self) -> None:
        self._open = ""
        self._told: set[str] = set()
        """The lines of the steps that have ended."""
        self._output: set[str] = set()

    def event(self, event: Event) -> None:
        """Print what is to be said of an event, if anything is."""
        what = event.what
        if isinstance(what, events.Line):
            self._output.add(what.line.rstrip())
        if isinstance(what, events.Step):
            self._step(event, one_line(what.step), what.state)
        elif says := progress_line(event):
            self._line(event.at, unmarked(says))

    def change(self, now: Deployment) -> None:
        """Print the steps that have ended and were not told."""
        for step in now.steps:
            if (line := step_line(step.name, step.state)) and line not in self._told:
                if one_line(step.name) != self._open:
                    self.close()
                self._end_step(one_line(step.name), line, datetime.now(UTC))

    def lost(self, deployment: str, cause: str) -> None:
        tell_lost(deployment, cause)

    def _step(self, event: Event, step: str, state: str) -> None:
        if state == StepState.RUNNING:
            self.close(event.at)
            self._open = step
            self._begin(step, event.at)
            return
        self._end_step(step, progress_line(event), event.at)

    def _end_step(self, step: str, line: str, at: datetime) -> None:
        if line:
            self._told.add(line)
            self._line(at, unmarked(line))
        if step == self._open:
            self.close(at)

    def close(self, at: datetime | None = None) -> None:
        """End the group that is open, if one is."""
        if self._open:
            self._end(self._open, at or datetime.now(UTC))
            self._open = ""

    def outcome(self, ended: Deployment, app: App | None) -> None:
        """Print how the deployment ended: no group, so that it is seen at once."""
        self.close()
        for line in unmarked(outcome(ended, app, self._output)).splitlines():
            self._line(None, line)
        if ended.failure:
            self._failure(ended, *_where(ended.failure.log))

    def _line(self, at: datetime | None, text: str) -> None:
        _print(harmless(f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"))

    def _begin(self, step: str, at: datetime) -> None:
        self._line(at, step)

    def _end(self, step: str, at: datetime) -> None:
        """Nothing: a line says how the step ended."""

    def _failure(self, ended: Deployment, file: str, line: str) -> None:
        """Nothing more: the outcome says it."""


class GithubLog(CiLog):
    """For GitHub Actions, and for Forgejo's and Gitea's runners, which obey the same commands."""

    def _line(self, at: datetime | None, text: str) -> None:
        # GitHub shows the time of each line by itself.
        _print(harmless(plain(text).replace("\n", " ")))

    def _begin(self, step: str, at: datetime) -> None:
        _command(f"::group::{_escaped(step)}")

    def _end(self, step: str, at: datetime) -> None:
        _command("::endgroup::")

    def _failure(self, ended: Deployment, file: str, line: str) -> None:
        if ended.failure is None:
            return
        place = f"file={_property(file)},line={line}," if file else ""
        title = _property(f"{ended.app}: {ended.failure.step} failed")
        says = f"{ended.failure.cause}\n{ended.failure.tip}".strip()
        _command(f"::error {place}title={title}::{_escaped(plain(says))}")


class GitlabLog(CiLog):
    """For GitLab CI: sections, which are folded at first."""

    def __init__(self) -> None:
        super().__init__()
        self._run = secrets.token_hex(4)

    def _begin(self, step: str, at: datetime) -> None:
        section = f"section_start:{int(at.timestamp())}:{self._section(step)}[collapsed=true]"
        _command(f"\x1b[0K{section}\r\x1b[0K{harmless(step)}")

    def _end(self, step: str, at: datetime) -> None:
        _command(f"\x1b[0Ksection_end:{int(at.timestamp())}:{self._section(step)}\r\x1b[0K")

    def _section(self, step: str) -> str:
        """A name has letters, digits and _ . - alone, and is there once in the log of a job."""
        return re.sub(r"[^A-Za-z0-9_.-]", "_", f"changeover_{self._run}_{step}")


def ci_log(wanted: LogFormat, environment: Mapping[str, str] = os.environ) -> CiLog | None:
    """The log of this format; None for the one for people, which `auto` is outside of a CI job.

    Forgejo's and Gitea's runners set GITHUB_ACTIONS, too.
    """
    if wanted is LogFormat.AUTO:
        if environment.get("GITHUB_ACTIONS") == "true":
            wanted = LogFormat.GITHUB
        elif environment.get("GITLAB_CI") == "true":
            wanted = LogFormat.GITLAB
    kinds: dict[LogFormat, type[CiLog]] = {
        LogFormat.PLAIN: CiLog,
        LogFormat.GITHUB: GithubLog,
        LogFormat.GITLAB: GitlabLog,
    }
    return kinds[wanted]() if wanted in kinds else None


def progress_of(wanted: LogFormat = LogFormat.AUTO, *, as_json: bool = False) -> Progress:
    """How the progress of a deployment is printed: not at all beside JSON."""
    return Silent() if as_json else ci_log(wanted) or ForPeople()


def unmarked(markup: str) -> str:
    """Rich's markup as text."""
    return Text.from_markup(markup, emoji=False).plain


def _where(log: tuple[str, ...]) -> tuple[str, str]:
    """The file and line that the log of a failure names last; empty if it names none."""
    found = [match for line in log if (match := _IN_DOCKERFILE.match(line))]
    return (found[-1][1], found[-1][2]) if found else ("", "")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def _command(line: str) -> None:
    """Print a line that the runner obeys."""
    if isinstance(sys.stdout, GuardedStream):
        sys.stdout.write_command(f"{line}\n")
        sys.stdout.flush()
    else:
        _print(line)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
