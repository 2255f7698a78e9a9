"""The engine's init as process 1 of a sidecar: what it prints when it cannot start the command.

Docker starts its init (https://github.com/krallin/tini) and no longer sees whether the command can be started. The init
says so on standard error, as the only output there is, and ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.engine.docker.refusals import refused
from orchestrator.errors import EngineError

_BEGINS = b"[FATAL tini ("
_WHOLE = re.compile(rb"\[FATAL tini \(\d+\)\] exec (?P<what>.*) failed: (?P<why>[^:\r\n]*)\r?\n?", re.DOTALL)
_MOST_HELD = 16 * 1024
_NOT_THERE = "No such file or directory"


class InitsWord:
    """Takes output in the order in which it comes, and passes it on as soon as it is not a word of the init.

    Used in one thread.
    """

    def __init__(self, pass_on: Callable[[bytes], object]) -> None:
        self._pass_on = pass_on
        self._held = b""
        self._is_decided = False

    def feed(self, chunk: bytes) -> None:
        if self._is_decided:
            self._pass_on(chunk)
            return
        self._held += chunk
        begins = self._held.startswith(_BEGINS) or _BEGINS.startswith(self._held)
        if not begins or len(self._held) > _MOST_HELD:
            self.let_pass()

    def let_pass(self) -> None:
        """It is the command's own."""
        self._is_decided = True
        if self._held:
            self._pass_on(self._held)
            self._held = b""

    def refusal(self, program: str, exit_code: int) -> EngineError | None:
        """Why `program`, the first word that the init was to run, was never started; None if it was, or may have been.

        Then the output is passed on: a program may print what an init of its own says about another one.
        """
        found = None if self._is_decided else _WHOLE.fullmatch(self._held)
        if found is None or found["what"].decode(errors="replace") != program or not exit_code:
            self.let_pass()
            return None
        why = found["why"].decode(errors="replace")
        is_missing = why == _NOT_THERE and "/" not in program
        error = refused(f'exec: "{program}": {"executable file not found in $PATH" if is_missing else why.lower()}')
        error.never_began = True
        return error
