"""A backup that is cancelled leaves nothing on the disk: its sidecar was ended in the middle, and cannot tidy up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrator.app_data import backups
from orchestrator.errors import EngineError
from tests.support import virtual_time
from tests.support.fakes.stories import live
from tests.support.fakes.world import World


@pytest.mark.parametrize("engine_is_away", [False, True])
def test_what_a_cancelled_backup_has_left_is_removed_and_the_cancel_is_told(world: World, engine_is_away: bool) -> None:
    jobs: list[str] = []
    to_the_end = world.engine.run_to_end

    async def run_to_end(spec: Any, *arguments: Any) -> Any:
        job = spec.command[3]
        jobs.append(job)
        if job == "create":
            await asyncio.sleep(3600)
        if job == "remove-unfinished" and engine_is_away:
            raise EngineError("Docker does not answer.")
        return await to_the_end(spec, *arguments)

    async def story() -> None:
        await live(world, "0001")
        active = world.context.active
        assert active is not None
        world.engine.run_to_end = run_to_end  # type: ignore[method-assign, assignment]
        async with world.data_turn:
            backing_up = asyncio.create_task(backups.create(world.context, active, "by hand"))
            await asyncio.sleep(1)
            backing_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await backing_up

    virtual_time.run(story())
    assert jobs[-2:] == ["create", "remove-unfinished"]
