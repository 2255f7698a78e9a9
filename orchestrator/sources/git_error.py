"""What git prints when it fails."""

from __future__ import annotations


def error_line(said: str) -> str:
    """The line that has the cause."""
    fatal = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    line = (fatal or said.splitlines() or ["git printed no error"])[0]
    return line.removeprefix("fatal: ").removeprefix("error: ").rstrip(".")
