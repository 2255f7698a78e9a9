"""What git prints when it fails."""

from __future__ import annotations

from collections.abc import Sequence

MOST_BYTES, MOST_LINES = 16 * 1024, 40
"""So much of the end is kept: a server can send as much as it likes."""


def last_lines(err: bytes) -> str:
    """The end of what was printed, in whole lines, so that no half of a secret is at its beginning."""
    end = err[-MOST_BYTES:].decode(errors="replace").strip()
    lines = end.splitlines()[1:] if len(err) > MOST_BYTES else end.splitlines()
    return "\n".join(lines[-MOST_LINES:])


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
