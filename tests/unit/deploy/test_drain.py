"""What draining cuts is counted by kind and told; a deployment that waits says for what and how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.app_schema import App
from orchestrator.deploy import plans
from orchestrator.deploy.cost import cost_of
from orchestrator.deploy.standby import find_standby
from orchestrator.domain.deployment import Deployment, State, StepName, StepState
from orchestrator.domain.events import EventKind
from orchestrator.domain.in_hand import InHand
from tests.support import virtual_time
from tests.support.fakes.world import APP, World

LIMIT_S = 30.0


def world_at(folder: Path, **more: Any) -> World:
    config = {
        "route": {"host": "shop.test"},
        "run": {"data": "/data"},
        "migrate": {"command": "up", "status": "status", "down": "down {revision}"},
        "health": {"answers": 1, "timeout": 0.05},
        "drain": {"timeout": LIMIT_S, **more},
    }
    return World(folder, App.model_validate(config))


async def live(world: World, *revisions: str) -> Deployment:
    world.publish(*revisions)
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    await asyncio.sleep(1)
    return ended


def told(world: World, kind: EventKind, deployment: str) -> list[dict[str, Any]]:
    return [dict(one.fields) for one in world.journal.events(0, deployment) if one.kind == kind]


def test_requests_that_wait_for_a_container_that_is_gone_keep_nobody_else_waiting(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        before = await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.engine.running[before.container].running = False
        world.proxy.open_sessions = 3
        return await live(world, "0002")

    ended = virtual_time.run(story())
    assert [one["seconds"] < 1 for one in told(world, EventKind.DRAINED, ended.id) if one["paused"]] == [True]
    assert ended.cut == InHand(requests=3)


def test_what_is_cut_after_the_switch_is_on_record_by_kind(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        world.proxy.open_sessions = 1
        world.proxy.long_lived = InHand(uploads=1, streams=2, websockets=3)
        return await live(world)

    ended = virtual_time.run(story())
    assert ended.cut == InHand(requests=1, uploads=1, streams=2, websockets=3)
    (drained,) = told(world, EventKind.DRAINED, ended.id)
    assert {name: drained[name] for name in ("colour", "requests", "uploads", "streams", "websockets")} == {
        "colour": "blue", "requests": 1, "uploads": 1, "streams": 2, "websockets": 3,
    }  # fmt: skip
    assert LIMIT_S <= drained["seconds"] < LIMIT_S + 1


def test_a_drain_says_what_it_waits_for_and_how_long(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        world.proxy.long_lived = InHand(websockets=1)
        return await live(world)

    ended = virtual_time.run(story())
    progress = told(world, EventKind.DRAINING, ended.id)
    assert len(progress) == 6
    assert all((one["websockets"], one["limit"], one["paused"]) == (1, LIMIT_S, False) for one in progress)
    assert [round(one["waited"]) for one in progress] == [1, 6, 11, 16, 21, 26]


def test_nothing_cut_is_no_cut(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        return await live(world)

    ended = virtual_time.run(story())
    assert ended.cut is None
    assert told(world, EventKind.DRAINING, ended.id) == []
    assert [one["websockets"] for one in told(world, EventKind.DRAINED, ended.id)] == [0]


def test_under_pause_long_lived_connections_are_cut_at_once_and_requests_are_waited_for(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.proxy.open_sessions = 1
        world.proxy.long_lived = InHand(streams=1, websockets=2)
        asyncio.get_running_loop().call_later(2, lambda: setattr(world.proxy, "open_sessions", 0))
        return await live(world, "0002")

    ended = virtual_time.run(story())
    assert ended.cut == InHand(streams=1, websockets=2)
    under_pause = next(one for one in told(world, EventKind.DRAINED, ended.id) if one["paused"])
    assert 1 < under_pause["seconds"] < 3, "it waits for the request, and not for drain.timeout"


def test_under_pause_an_app_that_is_signalled_may_close_its_connections_itself(tmp_path: Path) -> None:
    world = world_at(tmp_path, signal="SIGUSR1")

    async def story() -> Deployment:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.proxy.long_lived = InHand(websockets=2)
        asyncio.get_running_loop().call_later(0.5, lambda: setattr(world.proxy, "long_lived", InHand()))
        return await live(world, "0002")

    assert virtual_time.run(story()).cut is None


def test_a_deployment_that_waits_for_the_drain_before_it_says_so(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        world.proxy.long_lived = InHand(websockets=1)
        world.publish()
        first = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(first, StepName.RETIRE)
        world.publish()
        return await world.deploy()

    ended = virtual_time.run(story())
    waits = [one["cause"] for one in told(world, EventKind.WAITING, ended.id)]
    assert len(waits) == 6
    assert waits[0].startswith("The release before v2 finishes what it has in hand, for at most 30 s (drain.timeout).")
    assert waits[0].partition("(drain.timeout). ")[2].startswith("Then the standby is made ready for a rollback.")


def test_before_it_begins_it_is_said_what_a_deployment_costs_those_who_are_connected(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> tuple[list[str], list[str]]:
        await live(world, "0001")
        world.proxy.long_lived = InHand(streams=1, websockets=2)
        return await cost_of(world.context, plans.DEPLOY), await cost_of(world.context, plans.RESTORE)

    deploy, restore = virtual_time.run(story())
    assert deploy == [
        "v1 on blue has in hand now: 1 stream, 2 WebSockets.",
        "If a pending migration is incompatible, requests are paused from before it until the switch. New requests "
        "wait. WebSockets, and answers that began more than 3 s ago, are cut at once; requests and uploads are cut "
        "after 30 s (drain.timeout).",
        "After the switch, what the old release has in hand may go on for 30 s (drain.timeout); then it is cut.",
    ]
    assert restore[1].startswith("Requests are paused while the data is replaced. New requests wait.")
    assert restore[1].endswith(
        " They wait, too, while shop is stopped: a container that does not end by itself after SIGTERM is killed after "
        "10 s (drain.stop_timeout)."
    )
    assert len(restore) == 2


def test_before_a_rollback_it_is_said_what_it_does_to_the_data_whether_it_reverts_or_applies(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def cost() -> list[str]:
        return await cost_of(world.context, plans.to_standby(await find_standby(world.context)))

    async def story() -> list[list[str]]:
        await live(world, "0001")
        world.publish()
        await world.deploy()
        only_switched = await cost()
        world.engine.incompatible.add("0002")
        await live(world, "0002")
        back = await cost()
        await world.roll_back()
        return [only_switched, back, await cost()]

    only_switched, back, forth = virtual_time.run(story())
    assert [back[1].partition(".")[0], forth[1].partition(".")[0]] == [
        "The rollback reverts 0002",
        "The rollback applies 0002",
    ]
    for says in (back[1], forth[1]):
        assert ". A backup is made first; then requests are paused until the switch. New requests wait." in says
    assert "paused" not in "".join(only_switched)
    assert "The rollback" not in "".join(only_switched)


@pytest.mark.parametrize("limit_s", [0, 2])
def test_before_a_restore_it_is_said_how_long_stopping_may_take_unless_it_takes_no_time(
    tmp_path: Path, limit_s: int
) -> None:
    world = world_at(tmp_path)
    drain = world.context.config.drain.model_copy(update={"stop_timeout": limit_s})
    context = replace(world.context, config=world.context.config.model_copy(update={"drain": drain}))

    async def story() -> list[str]:
        await live(world, "0001")
        return await cost_of(context, plans.RESTORE)

    assert ("killed after 2 s (drain.stop_timeout)" in virtual_time.run(story())[1]) is bool(limit_s)


def test_while_everybody_waits_for_a_short_request_its_end_is_noticed_at_once(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> float:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.proxy.open_sessions = 1

        async def ends() -> None:
            while APP not in world.proxy.waiting:  # noqa: ASYNC110 (a fake has no event)
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            world.proxy.open_sessions = 0

        ending = asyncio.create_task(ends())
        ended = await live(world, "0002")
        await ending
        (before, *_) = told(world, EventKind.DRAINED, ended.id)
        return float(before["seconds"])

    assert virtual_time.run(story()) < 0.03


def test_why_a_rollback_ended_the_retiring_is_on_record(tmp_path: Path) -> None:
    world = world_at(tmp_path)

    async def story() -> Deployment:
        await live(world, "0001")
        world.proxy.open_sessions = 1
        world.publish()
        second = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(second, StepName.RETIRE)
        await world.roll_back()
        return world.journal.deployment(second.id)

    (retire,) = [step for step in virtual_time.run(story()).steps if step.name is StepName.RETIRE]
    assert retire.note.startswith("interrupted by a rollback")
    assert retire.state is StepState.SKIPPED, "nothing has failed"
