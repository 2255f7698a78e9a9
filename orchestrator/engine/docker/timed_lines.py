"""The lines of a log with their moments, from Docker's pieces of it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import partial

from border.secrets import Secrets
from orchestrator.domain.log_line import LogLine
from orchestrator.engine.docker.upgraded import STDERR
from orchestrator.host.output import Output

_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z ")
"""What Docker writes before each piece, if time stamps are asked for (moby, daemon/logger/jsonfilelog)."""


class TimedLines:
    """Takes Docker's pieces and passes lines on, as Output does: plain, cut to a length, without secrets.

    A line has the moment of its first piece: Docker cuts a long one every 16 kB. A line that is kept back, because a
    secret may begin in it, keeps its moment.
    """

    def __init__(self, on_line: Callable[[LogLine], None], known_secrets: Secrets) -> None:
        self._on_line = on_line
        self._secrets = known_secrets
        self._streams: dict[int, _Stream] = {}

    def feed(self, stream: int, piece: bytes) -> None:
        if (known := self._streams.get(stream)) is None:
            known = self._streams[stream] = _Stream(partial(self._pass_on, stream), self._secrets)
        known.feed(piece)

    def close(self) -> None:
        """The log has ended: pass on what was kept back."""
        for one in self._streams.values():
            one.output.close()

    def _pass_on(self, stream: int, at: str, text: str) -> None:
        self._on_line(LogLine(at, text, stream == STDERR))


class _Stream:
    """One of the two streams of a log. Output passes on as many lines as it was given."""

    def __init__(self, on_line: Callable[[str, str], None], known_secrets: Secrets) -> None:
        self.output = Output(self._pass_on, known_secrets=known_secrets, is_log=True)
        self._on_line = on_line
        self._is_begun = False
        self._moments: deque[str] = deque()

    def feed(self, piece: bytes) -> None:
        at = ""
        if stamp := _MOMENT.match(piece):
            at = f"{stamp[1].decode()}.{stamp[2].decode()}Z"
            piece = piece[stamp.end() :]
        if not self._is_begun and piece:
            self._begin(at)
        for _ in range(piece.count(b"\n") - 1):
            self._begin(at)
        if piece.endswith(b"\n"):
            self._is_begun = False
        elif b"\n" in piece:
            self._begin(at)
        self.output.feed(piece)

    def _begin(self, at: str) -> None:
        self._is_begun = True
        self._moments.append(at)

    def _pass_on(self, text: str) -> None:
        self._on_line(self._moments.popleft() if self._moments else "", text)
