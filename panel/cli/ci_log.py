"""The log of a deployment in a CI job: each step as a group that the forge can fold, and no line that it would obey.

What an app, a build or a commit prints is printed too, and may look like an instruction to the runner:
`::set-env name=PATH::…` for GitHub and Forgejo, `section_start:…` for GitLab. Control characters are taken out of every
line. For GitHub, nothing but our own lines is printed while commands are obeyed: they are stopped with a token that
nobody can guess.
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
from panel.cli.event_lines import progress_line
from panel.client import events
from panel.client.events import Event
from panel.client.model import Deployment, StepState

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

    def show(self, event: Event) -> None:
        """Print what is to be said of an event, if anything is."""
        what = event.what
        if isinstance(what, events.Step):
            self._step(event, one_line(what.step), what.state)
        elif says := progress_line(event):
            self._line(event.at, unmarked(says))

    def tell(self, markup: str) -> None:
        """Print a line about the deployment that is no event."""
        self._line(None, unmarked(markup))

    def _step(self, event: Event, step: str, state: str) -> None:
        if state == StepState.RUNNING:
            self.close(event.at)
            self._open = step
            self._begin(step, event.at)
            return
        if says := progress_line(event):
            self._line(event.at, unmarked(says))
        if step == self._open:
            self.close(event.at)

    def close(self, at: datetime | None = None) -> None:
        """End the group that is open, if one is."""
        if self._open:
            self._end(self._open, at or datetime.now(UTC))
            self._open = ""

    def outcome(self, markup: str, ended: Deployment) -> None:
        """Print how the deployment ended: no group, so that it is seen at once."""
        self.close()
        for line in unmarked(markup).splitlines():
            self._line(None, line)
        if ended.failure:
            self._failure(ended, *_where(ended.failure.log))

    def _line(self, at: datetime | None, text: str) -> None:
        _print(f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}")

    def _begin(self, step: str, at: datetime) -> None:
        self._line(at, step)

    def _end(self, step: str, at: datetime) -> None:
        """Nothing: a line says how the step ended."""

    def _failure(self, ended: Deployment, file: str, line: str) -> None:
        """Nothing more: the outcome says it."""


class GithubLog(CiLog):
    """For GitHub Actions, and for Forgejo's and Gitea's runners, which obey the same commands."""

    def __init__(self) -> None:
        super().__init__()
        self._token = ""
        """With it, commands that are stopped now are obeyed again; empty if they are not stopped."""

    def _line(self, at: datetime | None, text: str) -> None:
        # GitHub shows the time of each line by itself.
        if not self._token:
            self._token = f"changeover-{secrets.token_hex(16)}"
            _print(f"::stop-commands::{self._token}")
        _print(plain(text).replace("\n", " "))

    def _command(self, command: str) -> None:
        self._obey()
        _print(command)

    def _obey(self) -> None:
        if self._token:
            _print(f"::{self._token}::")
            self._token = ""

    def _begin(self, step: str, at: datetime) -> None:
        self._command(f"::group::{_escaped(step)}")

    def _end(self, step: str, at: datetime) -> None:
        self._command("::endgroup::")

    def outcome(self, markup: str, ended: Deployment) -> None:
        super().outcome(markup, ended)
        self._obey()

    def close(self, at: datetime | None = None) -> None:
        super().close(at)
        self._obey()

    def _failure(self, ended: Deployment, file: str, line: str) -> None:
        if ended.failure is None:
            return
        place = f"file={_property(file)},line={line}," if file else ""
        title = _property(f"{ended.app}: {ended.failure.step} failed")
        says = f"{ended.failure.cause}\n{ended.failure.tip}".strip()
        self._command(f"::error {place}title={title}::{_escaped(plain(says))}")


class GitlabLog(CiLog):
    """For GitLab CI: sections, which are folded at first."""

    def __init__(self) -> None:
        super().__init__()
        self._run = secrets.token_hex(4)

    def _begin(self, step: str, at: datetime) -> None:
        section = f"section_start:{int(at.timestamp())}:{self._section(step)}[collapsed=true]"
        _print(f"\x1b[0K{section}\r\x1b[0K{step}")

    def _end(self, step: str, at: datetime) -> None:
        _print(f"\x1b[0Ksection_end:{int(at.timestamp())}:{self._section(step)}\r\x1b[0K")

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


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
