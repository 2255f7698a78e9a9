"""The speed of a job, and how far it is. Standard library only."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.backup_sidecar.manifest import MEGABYTE

TURN_S = 0.001
REST = 2
"""The length of a rest, in multiples of the work before it. With 1, the p99 of an app that writes 500 rows/s nearly
doubled."""
TOLD_EVERY_S = 10.0
PROGRESS = "progress: "
"""A line of the sidecar's output that begins so says how far it is."""


class Pace:
    """The speed of the work. With `gently`, it uses at most a third of one processor, in turns of about TURN_S.

    `tell` gets how far it is every TOLD_EVERY_S seconds, once `expect` was called.
    """

    def __init__(self, *, gently: bool, tell: Callable[[str], None] | None = None) -> None:
        self._gently = gently
        self._rested_at = time.process_time()
        self._tell = tell
        self._size = self._expected = self._worked = 0
        self._told_at = time.monotonic()

    def rest(self) -> None:
        """Sleep for REST times the processor time used since the last rest, if that was TURN_S or more."""
        worked = time.process_time() - self._rested_at
        if self._gently and worked >= TURN_S:
            time.sleep(REST * worked)
            self._rested_at = time.process_time()

    def expect(self, size: int, work: int) -> None:
        """From now on `work` bytes are read, in all passes, of data of `size` bytes."""
        self._size, self._expected, self._worked = size, work, 0

    def worked(self, size: int) -> None:
        """Take note of `size` bytes that were read."""
        self._worked += size
        if self._expected and self._tell and (now := time.monotonic()) - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            # The app may write more meanwhile.
            percent = min(99, 100 * self._worked // self._expected)
            whole = f"{self._size / MEGABYTE:.0f} MB" if self._size >= MEGABYTE else "less than 1 MB"
            self._tell(f"{percent} % of {whole}")
