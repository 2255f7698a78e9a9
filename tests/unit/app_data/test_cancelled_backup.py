"""A backup that is cancelled leaves nothing on the disk: its sidecar was ended in the middle, and cannot tidy up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.app_data import backups
from orchestrator.app_data.backups import REMOVED_WITHIN_S
from orchestrator.clock import elapsed
from orchestrator.errors import EngineError, StepFailed
from tests.support import virtual_time
from tests.support.fakes.stories import live
from tests.support.fakes.world import World


async def none() -> None:
    """Nothing happens meanwhile."""


async def engine_is_away() -> None:
    raise EngineError("Docker does not answer.")


async def disk_does_not_answer() -> None:
    await asyncio.sleep(3600)


class Sidecars:
    """Of a world whose backups are ended in the middle: by a cancel, or with this exit code. `jobs` are all of them."""

    def __init__(
        self, world: World, exit_code: int | None = None, removal: Callable[[], Awaitable[None]] = none
    ) -> None:
        self.jobs: list[str] = []
        self._run_to_end, self._exit_code, self._removal = world.engine.run_to_end, exit_code, removal
        world.engine.run_to_end = self._run  # type: ignore[method-assign, assignment]

    async def _run(self, spec: Any, *arguments: Any) -> Any:
        job = spec.command[3]
        self.jobs.append(job)
        if job == "remove-unfinished":
            await self._removal()
        status, late = await self._run_to_end(spec, *arguments)
        if job == "create":
            if self._exit_code is None:
                await asyncio.sleep(3600)
            else:
                status = replace(status, exit_code=self._exit_code)
        return status, late


async def backed_up(world: World, *, cancelled: bool) -> None:
    active = world.context.active
    assert active is not None
    async with world.data_turn:
        backing_up = asyncio.create_task(backups.create(world.context, active, "by hand"))
        if cancelled:
            await asyncio.sleep(1)
            backing_up.cancel()
        await backing_up


@pytest.mark.parametrize("removal", [none, engine_is_away, disk_does_not_answer])
def test_what_a_cancelled_backup_has_left_is_removed_and_the_cancel_is_told(
    world: World, removal: Callable[[], Awaitable[None]]
) -> None:
    async def story() -> tuple[list[str], float]:
        await live(world, "0001")
        sidecars, began = Sidecars(world, removal=removal), elapsed()
        with pytest.raises(asyncio.CancelledError):
            await backed_up(world, cancelled=True)
        return sidecars.jobs, elapsed() - began

    jobs, took = virtual_time.run(story())
    assert jobs[-2:] == ["create", "remove-unfinished"]
    assert took < REMOVED_WITHIN_S + 2, "a cancel waits for no disk for ever"


@pytest.mark.parametrize(("exit_code", "is_removed"), [(137, True), (1, False)])
def test_so_is_what_a_backup_has_left_that_took_too_long_or_too_much_memory(
    world: World, exit_code: int, is_removed: bool
) -> None:
    """One that fails by itself tidies up itself."""

    async def story() -> list[str]:
        await live(world, "0001")
        sidecars = Sidecars(world, exit_code)
        with pytest.raises(StepFailed):
            await backed_up(world, cancelled=False)
        return sidecars.jobs

    assert (virtual_time.run(story())[-1] == "remove-unfinished") is is_removed
