"""A part of a container's log, limited in lines, line length, size and time."""

from __future__ import annotations

import time
from collections import deque
from contextlib import closing

from docker.models.containers import Container

from border.secrets import Secrets
from orchestrator.domain.counted import counted
from orchestrator.domain.log_line import Choose, LogLine, LogPart, LogRange
from orchestrator.engine.docker.log_frames import LogFrames
from orchestrator.engine.docker.timed_lines import TimedLines

READ_WITHIN_S = 20.0
"""A log whose end does not come within this time is given as far as it was read."""


MOST_CHARACTERS = 4 * 2**20
"""Of one answer, which waits in memory until its reader has taken it; many may ask at once."""


class _Newest:
    """The last lines of a log that are wanted: at most `most` of them, and MOST_CHARACTERS in all."""

    def __init__(self, most: int, choose: Choose) -> None:
        self.lines: deque[LogLine] = deque()
        self.left_out = self.looked_at = 0
        self.last_at = ""
        self._most = most
        self._choose = choose
        self._characters = 0

    def add(self, line: LogLine) -> None:
        self.looked_at += 1
        self.last_at = line.at or self.last_at
        if (chosen := self._choose(line)) is None:
            return
        self.lines.append(chosen)
        self._characters += len(chosen.text)
        if len(self.lines) > self._most:
            self._drop()
        while self._characters > MOST_CHARACTERS:
            self._drop()
            self.left_out += 1

    def _drop(self) -> None:
        self._characters -= len(self.lines.popleft().text)


def read_part(
    container: Container,
    wanted: LogRange,
    known_secrets: Secrets,
    choose: Choose = lambda line: line,
    most: int | None = None,
    within_s: float = READ_WITHIN_S,
) -> LogPart:
    """Of the lines in this range the ones that `choose` takes, the last `most` of them. It blocks: call it in a thread.

    Raises APIError or RequestException.
    """
    newest = _Newest(wanted.tail if most is None else most, choose)
    lines = TimedLines(newest.add, known_secrets)
    late, is_late = time.monotonic() + within_s, False
    with closing(LogFrames(container, wanted, follow=False)) as frames:
        for stream, chunk in frames:
            lines.feed(stream, chunk)
            if is_late := time.monotonic() > late:
                break
    lines.close()
    missing = []
    if newest.left_out:
        says = f"{counted(newest.left_out, 'line')} before this left out: an answer has {MOST_CHARACTERS // 2**20} MB"
        missing.append(says)
    if is_late:
        missing.append(f"the rest is left out: the log was not read within {within_s:g} s")
    return LogPart(tuple(newest.lines), newest.last_at, newest.looked_at, "; ".join(missing))


def last_lines(container: Container, tail: int, known_secrets: Secrets) -> tuple[str, ...]:
    """The last `tail` lines as texts, for messages; one of them says what is left out. It blocks, as `read_part`."""
    part = read_part(container, LogRange(tail), known_secrets)
    texts = [line.text for line in part.lines]
    return (f"[{part.left_out}]", *texts) if part.left_out else tuple(texts)
