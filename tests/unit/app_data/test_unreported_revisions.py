"""Of a release that reports no schema revisions, one is named after it: the app's tool does not know that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Kind, State
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World


def silent_world(folder: Path, **migrate: str) -> World:
    """Its migrations are not compatible, it has no status command, and prints nothing."""
    config = app(names=False).model_dump(exclude_defaults=True)
    world = World(folder, App.model_validate(config | {"migrate": config["migrate"] | migrate}))
    world.engine.silent = True
    world.engine.incompatible |= {"0002", "0003"}
    return world


def test_a_rollback_to_a_revision_that_nobody_has_reported_is_refused_with_the_restore_to_run(tmp_path: Path) -> None:
    """The app's tool got the version of a release as the revision to return to, with all requests waiting."""
    world = silent_world(tmp_path)

    async def story() -> None:
        for revision in ("0001", "0002", "0003"):
            await live(world, revision)
        active = world.context.active
        assert active is not None
        with pytest.raises(Refused, match="has not reported the revision") as refused:
            await world.roll_back()
        assert f"changeover rollback {APP} --restore {active.backup}" in refused.value.remedy
        assert active.backup in world.engine.backups[APP]

    virtual_time.run(story())


def test_a_command_that_needs_no_revision_reverts_it(tmp_path: Path) -> None:
    world = silent_world(tmp_path, down="down 0002")

    async def story() -> None:
        for revision in ("0001", "0002", "0003"):
            await live(world, revision)
        back = await world.roll_back()
        assert back.state is State.LIVE, back.failure
        assert world.engine.data_of(APP).schema == ["0001", "0002"]

    virtual_time.run(story())


def test_a_revision_that_an_earlier_release_has_reported_is_returned_to(tmp_path: Path) -> None:
    world = silent_world(tmp_path)
    world.engine.silent = False

    async def story() -> None:
        for revision in ("0001", "0002"):
            await live(world, revision)
        world.engine.silent = True
        await live(world, "0003")
        back = await world.roll_back()
        assert back.state is State.LIVE, back.failure
        assert world.engine.data_of(APP).schema == ["0001", "0002"]

    virtual_time.run(story())


def test_a_failed_rollback_to_a_newer_release_is_taken_back_by_the_backup_made_under_pause(tmp_path: Path) -> None:
    """No backup was made, as if the down command could revert what nobody has reported: the schema stayed."""
    world = silent_world(tmp_path)

    async def story() -> None:
        for revision in ("0001", "0002"):
            await live(world, revision)
        active = world.context.active
        assert active is not None
        record = await world.scheduler.restore(APP, active.backup, by="test", kind=Kind.ROLLBACK)
        assert (await world.until_ended(record.id)).state is State.LIVE
        world.engine.broken.add("v2")
        back = await world.roll_back()
        assert back.state is State.FAILED
        assert world.journal.unsettled(APP) is None
        assert world.engine.data_of(APP).schema == ["0001"]

    virtual_time.run(story())
