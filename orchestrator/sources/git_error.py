"""What git prints when it fails."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from orchestrator.errors import StepFailed

MOST_BYTES, MOST_LINES = 16 * 1024, 40
"""So much of the end is kept: a server can send as much as it likes."""


def last_lines(err: bytes) -> str:
    """The end of what was printed, in whole lines, so that no half of a secret is at its beginning."""
    end = err[-MOST_BYTES:].decode(errors="replace").strip()
    lines = end.splitlines()[1:] if len(err) > MOST_BYTES else end.splitlines()
    return "\n".join(lines[-MOST_LINES:])


def said_by(error: StepFailed) -> str:
    """What git printed when it failed: the cause has it in plain words."""
    return "\n".join(error.log)


def as_configured(said: str, called: Mapping[str, str]) -> str:
    """What was printed, with paths as the person knows them, beside the configuration file: where the orchestrator's
    container has them says nothing to anybody. `called`: what such a path is called, those with more of it first."""
    for path, name in called.items():
        said = re.sub(rf"(?<![\w./-]){re.escape(path)}(?![\w-])", name.replace("\\", r"\\"), said)
    return said


def error_line(said: str) -> str:
    """The line that has the cause."""
    fatal = [line for line in said.splitlines() if line.startswith(("fatal:", "error:", "batch re"))]
    line = (fatal or said.splitlines() or ["git printed no error"])[0]
    return line.removeprefix("fatal: ").removeprefix("error: ").rstrip(".")


def command_of(arguments: Sequence[str]) -> str:
    """The command of git, such as `fetch`, after the options of git itself and their values."""
    at = 0
    while at + 2 < len(arguments) and arguments[at] in ("--git-dir", "-C", "-c"):
        at += 2
    return f"git {arguments[at]}"
