"""Lines of the logs of an app's containers, and which logs it has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from panel.client.value import Value


def _moment(text: object) -> object:
    """With nanoseconds, as the engine has it, to a moment with microseconds; None for an empty text."""
    if not isinstance(text, str):
        return text
    return f"{text[:26]}Z" if len(text) == len("2026-11-28T08:00:00.123456789Z") else text or None


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class LogEntry(Value):
    """One line, and what printed it. `level` is debug, info, warning, error, critical, or empty: not told."""

    text: str
    at: Moment = None
    container: str = ""
    deployment: str = ""
    stream: str = ""
    level: str = ""


class LogLines(Value):
    """`entries` if they were asked for, otherwise `lines`. `left_out` are sentences about what is missing; None: the
    orchestrator is an older one, which gives the active container's last lines whatever is asked for."""

    lines: tuple[str, ...] = ()
    entries: tuple[LogEntry, ...] = ()
    left_out: tuple[str, ...] | None = None


class LogOrigin(Value):
    """One log. `place` is active, standby, candidate, earlier, or steps: the output of a deployment's build and
    sidecars. `removed_at`: its container is removed, and this is kept of it."""

    container: str
    place: str = ""
    deployment: str = ""
    colour: str = ""
    version: str = ""
    running: bool = False
    removed_at: datetime | None = None


class LogOrigins(Value):
    logs: tuple[LogOrigin, ...]
    problem: str = ""
