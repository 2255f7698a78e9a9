"""How far the recovery of an app is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass
class Progress:
    """How far an app is recovered. Each stage is done once per process: what comes after may have begun new work."""

    finished: bool = False
    """What was interrupted is finished or undone. Before this, nothing new may begin."""
    brought_back: bool = False
    """The active release has the traffic."""
    resumed: bool = False
    """Its paused requests are resumed. After this, only new work pauses them."""
    goes_on: bool = False
    """Its queued work is queued again."""
    problem: str = ""
    """Why the next stage failed."""
    active: str = ""
    """The id of the active deployment at the last try."""
    task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        return self.task is not None and not self.task.done()

    @property
    def is_at_first_try(self) -> bool:
        """One that has its traffic again may wait for the end of new work, to go on."""
        return self.is_under_way and not self.brought_back and not self.problem
