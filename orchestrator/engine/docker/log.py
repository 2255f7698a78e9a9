"""The end of a container's log, limited in lines, line length and time."""

from __future__ import annotations

import time
from collections import deque

from docker.models.containers import Container

from border.secrets import Secrets
from orchestrator.host.output import Output

READ_WITHIN_S = 20.0
"""A log whose end does not come within this time is given as far as it was read."""


def last_lines(container: Container, tail: int, known_secrets: Secrets) -> tuple[str, ...]:
    """The last `tail` lines. It blocks: call it in a thread."""
    lines: deque[str] = deque(maxlen=tail)
    output = Output(lines.append, known_secrets=known_secrets, is_log=True)
    late = time.monotonic() + READ_WITHIN_S
    for chunk in container.logs(stream=True, follow=False, tail=tail):
        output.feed(chunk)
        if time.monotonic() > late:
            lines.append(f"[the rest is left out: the log was not read within {READ_WITHIN_S:g} s]")
            break
    output.close()
    return tuple(lines)
