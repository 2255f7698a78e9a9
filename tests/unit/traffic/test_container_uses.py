"""What the containers of apps use, by looks at the engine that cost little."""

from __future__ import annotations

import asyncio
import math

from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import Container, Use
from orchestrator.engine.base import LABEL_APP, LABEL_COLOUR, LABEL_ROLE, ContainerSpec, Role
from orchestrator.engine.container_usage import ContainerUsage
from orchestrator.engine.docker.container_usage import usage_in
from orchestrator.errors import EngineError
from orchestrator.traffic.container_uses import MOST_A_SECOND, ContainerUses
from tests.support import virtual_time
from tests.support.fakes.engine import FakeContainer, FakeEngine

BLUE = Container("shop-blue", "shop", Colour.BLUE)
MIB = 2**20


class Engine(FakeEngine):
    """Each look is counted; its container has used half a core since the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.looked: list[str] = []
        self.is_away = False

    async def usage(self, name: str) -> ContainerUsage | None:
        if self.is_away:
            raise EngineError("The engine does not answer.", "Start it.")
        self.looked.append(name)
        return ContainerUsage(0.5 * asyncio.get_running_loop().time(), 64 * MIB)

    def has(self, name: str, *, paused: bool = False, role: Role = Role.APP) -> None:
        labels = {LABEL_APP: "shop", LABEL_COLOUR: "blue", LABEL_ROLE: role}
        self.running[name] = FakeContainer(ContainerSpec(name, "", labels, "test"), paused=paused)


async def looked_for(seconds: float, uses: ContainerUses) -> None:
    task = asyncio.create_task(uses.keep_looking())
    await asyncio.sleep(seconds)
    task.cancel()


def test_the_share_of_a_core_is_known_from_the_second_look_on() -> None:
    async def story() -> None:
        engine = Engine()
        engine.has("shop-blue")
        uses = ContainerUses(engine)
        await looked_for(1, uses)
        assert uses.latest[BLUE].memory == 64 * MIB
        assert math.isnan(uses.latest[BLUE].cpu)

        await looked_for(12, uses)
        assert uses.latest == {BLUE: Use(0.5, 64 * MIB)}

        engine.is_away = True
        await looked_for(6, uses)
        assert uses.latest == {}

    virtual_time.run(story())


def test_two_hundred_containers_are_looked_at_four_times_a_second_at_most() -> None:
    async def story() -> None:
        engine = Engine()
        for number in range(200):
            engine.has(f"shop-{number}")
        await looked_for(60, ContainerUses(engine))

        assert len(engine.looked) <= 60 * MOST_A_SECOND + 1
        assert len(set(engine.looked)) == 200

    virtual_time.run(story())


def test_a_paused_container_is_looked_at_once_and_a_sidecar_never() -> None:
    async def story() -> None:
        engine = Engine()
        engine.has("shop-blue", paused=True)
        engine.has("shop-migrate", role=Role.SIDECAR)
        uses = ContainerUses(engine)
        await looked_for(60, uses)

        assert engine.looked == ["shop-blue"]
        assert uses.latest == {BLUE: Use(0.0, 64 * MIB)}

    virtual_time.run(story())


def test_memory_is_without_the_file_cache_by_either_version_of_cgroups() -> None:
    cpu = {"cpu_usage": {"total_usage": 1_500_000_000}}

    for name in ("total_inactive_file", "inactive_file"):
        found = usage_in({"cpu_stats": cpu, "memory_stats": {"usage": 100, "stats": {name: 40}}})
        assert found == ContainerUsage(1.5, 60)
    assert usage_in({"cpu_stats": cpu, "memory_stats": {}}) is None
