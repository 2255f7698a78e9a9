"""A lost journal is rebuilt from containers, whatever else carries their labels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.deployment import State
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_NUMBER,
    LABEL_REQUESTED,
    LABEL_ROLE,
    ContainerSpec,
    Role,
)
from orchestrator.recovery import rebuild_journal
from tests.support import virtual_time
from tests.support.fakes.memory_journal import Records
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, assert_whole
from tests.support.fakes.world import APP, World

OURS = {LABEL_APP: APP, LABEL_ROLE: Role.APP, LABEL_COLOUR: "blue", LABEL_DEPLOYMENT: "x", LABEL_NUMBER: "1"}
STRANGERS = [
    OURS | {LABEL_COLOUR: "purple"}, OURS | {LABEL_COLOUR: ""}, OURS | {LABEL_DEPLOYMENT: ""},
    OURS | {LABEL_NUMBER: "many"}, OURS | {LABEL_REQUESTED: "yesterday"},
]  # fmt: skip


async def _without_journal(folder: Path) -> World:
    config, before, _ = STORIES["a deployment with a standby"]
    world = World(folder, config)
    await before(world)
    world.records = Records()
    await world.new_process()
    return world


@pytest.mark.parametrize("labels", STRANGERS)
def test_a_container_with_odd_labels_keeps_no_app_from_its_start(tmp_path: Path, labels: dict[str, str]) -> None:
    async def story() -> None:
        world = await _without_journal(tmp_path)
        await world.engine.start(ContainerSpec("by-hand", "image", labels, "test"))

        assert await rebuild_journal.slots_from_what_runs(world.context)

        active = world.context.active
        assert active is not None
        assert active.container != "by-hand"

    virtual_time.run(story())


def test_a_release_that_had_the_traffic_and_is_stopped_is_found_and_started(tmp_path: Path) -> None:
    async def story() -> None:
        world = await _without_journal(tmp_path)
        had_traffic = world.engine.at(world.proxy.running[APP].address)
        for name, one in world.engine.running.items():
            world.engine.running[name] = replace(one, running=False)

        assert await rebuild_journal.slots_from_what_runs(world.context)
        await world.recovery.recover_all()
        await world.recovery.go_on()
        await world.at_rest()

        active = world.context.active
        assert active is not None
        assert (active.container, active.state) == (had_traffic, State.LIVE)
        assert_whole(world, "after the rebuild")

    virtual_time.run(story())


def test_a_release_keeps_the_port_at_which_it_listens_although_the_configuration_has_another_one_now(
    tmp_path: Path,
) -> None:
    """Its requests went to a port at which nobody listens."""

    async def story() -> None:
        world = await _without_journal(tmp_path)
        server = world.proxy.running[APP]
        world.configure(run={"data": "/data", "port": server.port + 1})

        assert await rebuild_journal.slots_from_what_runs(world.context)

        active = world.context.active
        assert active is not None
        assert (active.address, active.port) == (server.address, server.port)

    virtual_time.run(story())


@pytest.mark.parametrize("fault", ["its env_file is gone", "its image is gone", "its command fails"])
def test_an_app_that_cannot_be_asked_what_was_reverted_keeps_nobody_from_the_start(tmp_path: Path, fault: str) -> None:
    """The start tried again for ever, and no app was recovered."""

    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        world.records = Records()
        await world.new_process()
        match fault:
            case "its env_file is gone":
                world.configure(run={"data": "/data", "env_file": "missing.env"})
            case "its image is gone":
                world.engine.tags.clear()
            case _:
                world.engine.failing.add("status")

        assert await rebuild_journal.slots_from_what_runs(world.context)

        assert world.context.active is not None
        assert world.journal.migrations(APP)

    virtual_time.run(story())


@pytest.mark.parametrize("operation", ["switch: files", "switch: running proxy", "journal: save switch"])
def test_a_first_deployment_that_was_killed_during_its_switch_is_no_lost_journal(
    tmp_path: Path, operation: str
) -> None:
    """Its candidate was recorded a second time, which the database refuses: the start failed, at every try."""

    async def story() -> None:
        config, before, act = STORIES["the first deployment"]
        world = World(tmp_path, config)
        await before(world)
        world.power.cut_at(operation, after=operation != "journal: save switch")
        with suppress(Killed):
            await act(world)
        await world.new_process()
        interrupted = world.journal.deployments(APP)[0]
        assert (world.proxy.colour_in_file(APP), world.context.active) == (interrupted.colour, None)

        assert not await rebuild_journal.slots_from_what_runs(world.context)

        assert world.journal.deployments(APP) == [interrupted]
        await world.restart()
        assert_whole(world, "after the recovery")

    virtual_time.run(story())


def test_a_rebuild_that_was_interrupted_is_done_to_its_end_by_the_next_start(tmp_path: Path) -> None:
    async def story() -> None:
        rehearsal = await _without_journal(tmp_path / "rehearsal")
        rehearsal.power.operations = []
        await rebuild_journal.slots_from_what_runs(rehearsal.context)
        for number in range(len(rehearsal.power.operations)):
            world = await _without_journal(tmp_path / str(number))
            world.power.cut_at(number, after=True)
            with suppress(Killed):
                await rebuild_journal.slots_from_what_runs(world.context)
            await world.new_process()

            await rebuild_journal.slots_from_what_runs(world.context)

            found, wanted = world.journal.slots(APP), rehearsal.journal.slots(APP)
            assert (bool(found.active), bool(found.standby)) == (bool(wanted.active), bool(wanted.standby))
            runs, before = world.journal.migrations(APP), rehearsal.journal.migrations(APP)
            assert [one.direction for one in runs] == [one.direction for one in before]

    virtual_time.run(story())
