"""The end of a container's log, limited in lines, line length and time."""

from __future__ import annotations

import time
from collections import deque
from contextlib import closing

from docker.models.containers import Container

from border.secrets import Secrets
from orchestrator.domain.counted import counted
from orchestrator.engine.docker.log_frames import LogFrames
from orchestrator.host.output import Output

READ_WITHIN_S = 20.0
"""A log whose end does not come within this time is given as far as it was read."""


MOST_CHARACTERS = 4 * 2**20
"""Of one answer, which waits in memory until its reader has taken it; many may ask at once."""


class _Newest:
    """The last lines of a log: at most `most` of them, and MOST_CHARACTERS in all."""

    def __init__(self, most: int) -> None:
        self.lines: deque[str] = deque(maxlen=most)
        self.left_out = 0
        self._characters = 0

    def add(self, line: str) -> None:
        if self.lines and len(self.lines) == self.lines.maxlen:
            self._characters -= len(self.lines.popleft())
        self.lines.append(line)
        self._characters += len(line)
        while self.lines and self._characters > MOST_CHARACTERS:
            self._characters -= len(self.lines.popleft())
            self.left_out += 1


def last_lines(container: Container, tail: int, known_secrets: Secrets) -> tuple[str, ...]:
    """The last `tail` lines. It blocks: call it in a thread."""
    newest = _Newest(tail)
    output = Output(newest.add, known_secrets=known_secrets, is_log=True)
    late = time.monotonic() + READ_WITHIN_S
    with closing(LogFrames(container, tail, follow=False)) as frames:
        for stream, chunk in frames:
            output.feed(chunk, stream)
            if time.monotonic() > late:
                newest.add(f"[the rest is left out: the log was not read within {READ_WITHIN_S:g} s]")
                break
    output.close()
    if newest.left_out:
        cut = f"[{counted(newest.left_out, 'line')} before this left out: an answer has {MOST_CHARACTERS // 2**20} MB]"
        return (cut, *newest.lines)
    return tuple(newest.lines)
