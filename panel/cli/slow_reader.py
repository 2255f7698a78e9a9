"""The program that reads the output of this command may take it too slowly for the orchestrator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from panel.cli.spool import MOST
from panel.client.errors import ClientError, Failed, Unreachable

STALLED_S = 30.0
"""A client that takes nothing of its answer for so long is disconnected (docs/limits.md), in seconds."""


class SlowReader:
    """How long it has taken nothing, at the longest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waited_s = 0.0

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While something is to be read ahead."""
        began = self._clock()
        yield
        self._waited_s = max(self._waited_s, self._clock() - began)

    def explains(self, error: Unreachable, what: str) -> ClientError:
        """The cause of a connection that broke: the reader, if it has let the orchestrator wait. `what` ended then."""
        if self._waited_s < STALLED_S:
            return error
        return Failed(
            f"{what}: the program that reads the output took nothing for {self._waited_s:.0f} s after "
            f"{MOST // 2**20} MiB, "
            f"or all that the disk for temporary files takes, had been read ahead. "
            f"The orchestrator waits {STALLED_S:g} s.",
            "Send the output to a file, then read that.",
        )
