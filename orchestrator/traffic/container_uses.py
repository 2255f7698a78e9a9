"""What the containers of all apps use, asked of the engine one after the other."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator.clock import elapsed
from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import Container, Use
from orchestrator.engine.base import LABEL_APP, LABEL_COLOUR, LABEL_ROLE, Engine, Placed, Role
from orchestrator.engine.container_usage import ContainerUsage
from orchestrator.errors import EngineError

log = structlog.get_logger()

EVERY_S = 5.0
MOST_A_SECOND = 4
"""So many containers are looked at: each look costs 1 to 5 ms. Of 200, each is looked at every 50 s."""


class ContainerUses:
    """`latest` has the running containers of apps; none while the engine does not answer. One task looks, until it is
    cancelled.

    The CPU is the average since the last look. A paused container, which uses none, is looked at once.
    """

    def __init__(self, engine: Engine) -> None:
        self.latest: dict[Container, Use] = {}
        self._engine = engine
        self._before: dict[Container, tuple[float, ContainerUsage]] = {}

    async def keep_looking(self) -> None:
        while True:
            began = elapsed()
            try:
                await self._look_at_all()
            except EngineError as error:
                log.debug("containers not looked at", cause=error.cause)
                self.latest, self._before = {}, {}
            await asyncio.sleep(max(1 / MOST_A_SECOND, began + EVERY_S - elapsed()))

    async def _look_at_all(self) -> None:
        found = {container: one for one in await self._engine.placed() if (container := _of_app(one))}
        self.latest = {one: use for one, use in self.latest.items() if one in found}
        self._before = {one: before for one, before in self._before.items() if one in found}
        for container, placed in found.items():
            if placed.paused and container in self._before:
                self.latest[container] = Use(0.0, self._before[container][1].memory_bytes)
                continue
            await self._look(container)
            await asyncio.sleep(1 / MOST_A_SECOND)

    async def _look(self, container: Container) -> None:
        usage, at = await self._engine.usage(container.name), elapsed()
        if usage is None:
            self.latest.pop(container, None)
            self._before.pop(container, None)
            return
        use = Use(memory=usage.memory_bytes)
        if before := self._before.get(container):
            # One that was started again counts from zero.
            used = usage.cpu_s - before[1].cpu_s if usage.cpu_s >= before[1].cpu_s else usage.cpu_s
            use = use._replace(cpu=used / max(at - before[0], 0.001))
        self.latest[container], self._before[container] = use, (at, usage)


def _of_app(placed: Placed) -> Container | None:
    """None for one that is no running container of an app's colour."""
    labels = placed.labels
    colour = labels.get(LABEL_COLOUR, "")
    if not placed.running or labels.get(LABEL_ROLE) != Role.APP or colour not in list(Colour):
        return None
    return Container(placed.name, labels.get(LABEL_APP, ""), Colour(colour))
