"""Which backups stay while deployments fail in a row: what a person did to the data in between is in one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.domain.deployment import State
from tests.support.fakes.stories import app, live, restore, roll_back_with_a_backup
from tests.support.fakes.world import APP, World


async def nothing(_world: World) -> None:
    """Between two failures the release that is live goes on."""


async def failure(world: World) -> str:
    """A deployment whose migrate command fails, and the backup made before. What it committed nobody knows."""
    world.publish()
    ended = await world.deploy()
    assert ended.state is State.FAILED
    return ended.backup


@pytest.mark.parametrize(("between", "is_kept"), [(nothing, False), (restore, True), (roll_back_with_a_backup, True)])
async def test_the_backup_before_the_first_failure_since_the_data_was_replaced_stays(
    tmp_path: Path, between: Callable[[World], Awaitable[None]], is_kept: bool
) -> None:
    world = World(tmp_path, app(down=False, names=False))
    await live(world, "0001")
    await live(world)
    world.engine.failing.add("up")
    first = await failure(world)
    await between(world)
    world.engine.data_of(APP).rows.add("written since")

    second = await failure(world)
    for _ in range(3):
        await failure(world)

    assert first in world.engine.backups[APP]
    assert (second in world.engine.backups[APP]) is is_kept
