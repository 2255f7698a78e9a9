"""A release that is live already is not deployed again, and the goal of a rollback is the last other release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from orchestrator.api.deployment_view import deployment_view
from orchestrator.apps.made_from import AT_ONCE, AT_ONCE_BEFORE, BY_DEPLOYMENT, digest_without, is_changed_since
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Interrupter, State, StepName
from orchestrator.domain.events import EventKind
from orchestrator.recovery.rebuild_journal import slots_from_what_runs
from tests.support import virtual_time
from tests.support.fakes.memory_journal import Records
from tests.support.fakes.stories import assert_whole
from tests.support.fakes.world import APP, World


async def live(world: World, ref: str = "", *, force: bool = False) -> Deployment:
    ended = await world.deploy(ref, force=force)
    assert ended.state is State.LIVE, ended.failure
    return ended


async def two_releases(world: World) -> tuple[Deployment, Deployment]:
    world.publish("0001")
    first = await live(world)
    world.publish()
    return first, await live(world)


def place(deployment: Deployment | None) -> tuple[str, str, int]:
    assert deployment is not None
    return deployment.container, str(deployment.colour), deployment.number


def standby_version(world: World) -> str:
    return world.context.standby.version if world.context.standby else ""


def test_a_deployment_of_the_live_release_ends_as_unchanged_and_touches_nothing(world: World) -> None:
    async def story() -> tuple[Deployment, list[EventKind], set[str]]:
        await two_releases(world)
        before = world.engine.app_containers()
        ended = await world.deploy()
        kinds = [EventKind(one.kind) for one in world.journal.events() if one.deployment == ended.id]
        return ended, kinds, world.engine.app_containers() ^ before

    ended, kinds, changed = virtual_time.run(story())
    assert ended.state is State.UNCHANGED
    assert ended.ended_at is not None
    assert ended.version == "v2"
    assert [step.name for step in ended.steps] == [StepName.PREPARE, StepName.FETCH]
    assert kinds[-1] is EventKind.UNCHANGED
    assert changed == set()
    assert standby_version(world) == "v1"
    assert_whole(world, "unchanged")


@pytest.mark.parametrize("why", ["unchanged", "does not build", "does not get ready"])
def test_no_deployment_is_told_with_a_container_that_was_never_made(world: World, why: str) -> None:
    """A name and a colour are chosen in its first step."""

    async def story() -> Deployment:
        await two_releases(world)
        if why != "unchanged":
            world.publish()
        world.engine.failing |= {"build"} if why == "does not build" else set()
        world.engine.broken |= {"v3"}
        return await world.deploy()

    ended = virtual_time.run(story())
    told = deployment_view(world.journal, ended)
    if why in ("unchanged", "does not build"):
        assert ended.container, "what it had chosen stays on record"
        assert (told.container, told.colour) == ("", None)
    else:
        assert (told.container, told.colour) == (ended.container, ended.colour)
    live_now = world.context.active
    assert live_now is not None
    assert deployment_view(world.journal, live_now).container == live_now.container


def test_a_live_release_whose_container_does_not_answer_is_deployed_again(world: World) -> None:
    async def story() -> Deployment:
        _, second = await two_releases(world)
        world.engine.running[second.container].running = False
        return await live(world)

    assert virtual_time.run(story()).version == "v2"
    assert standby_version(world) == "v1"


@pytest.mark.parametrize("again", ["forced", "configured", "a rolled back one"])
def test_the_same_release_deployed_again_keeps_the_last_other_one_as_the_goal_of_a_rollback(
    world: World, again: str
) -> None:
    async def story() -> tuple[Deployment, Deployment]:
        first, second = await two_releases(world)
        for number in range(3):
            match again:
                case "configured":
                    world.configure(run={"data": "/data", "env": {"NUMBER": str(number)}})
                    await live(world)
                case "forced":
                    await live(world, force=True)
                case _:
                    await world.roll_back()
                    await live(world, second.release.source_revision if second.release else "")
        assert standby_version(world) == "v1"
        assert_whole(world, again)
        record = await world.roll_back()
        assert_whole(world, again)
        return first, record

    first, record = virtual_time.run(story())
    assert (record.state, record.version, record.container) == (State.LIVE, "v1", first.container)


def test_without_another_release_the_former_container_is_the_goal(world: World) -> None:
    async def story() -> tuple[Deployment, Deployment | None]:
        world.publish("0001")
        first = await live(world)
        world.configure(run={"data": "/data", "env": {"A": "B"}})
        await live(world)
        return first, world.context.standby

    first, standby = virtual_time.run(story())
    assert standby is not None
    assert standby.id == first.id


@pytest.mark.parametrize(
    ("sections", "changed"),
    [
        ({"run": {"data": "/data", "env": {"A": "B"}}}, True),
        ({"run": {"data": "/data", "env_file": "shop.env"}}, True),
        ({"build": {"args": {"A": "B"}}}, True),
        ({"standby": "stopped"}, True),
        ({"migrate": {"command": "migrate"}}, True),
        ({"health": {"path": "/readyz", "answers": 1, "timeout": 0.05}}, False),
        ({"build": {"timeout": 99, "memory": "1g"}}, False),
        ({"backup": {"dump": "dump", "restore": "load"}}, False),
        ({"drain": {"timeout": 9}}, False),
        ({"route": {"host": "other.test"}}, False),
        ({"update": {"auto_update": True}}, False),
        ({"push": {"secret_file": "secrets/shop-hook"}}, False),
        (
            {
                "report": {
                    "kind": "gitea",
                    "api_url": "https://git.test/api/v1",
                    "token_file": "secrets/status",
                    "repository": "me/shop",
                }
            },
            False,
        ),
    ],
)
def test_what_takes_effect_by_a_deployment_is_told_and_deployed(
    world: World, sections: dict[str, object], changed: bool, tmp_path: Path
) -> None:
    async def story() -> tuple[bool, State]:
        (tmp_path / "shop.env").write_text("SECRET=1")
        world.publish("0001")
        first = await live(world)
        assert not is_changed_since(world.context, first)
        world.configure(**sections)
        told = is_changed_since(world.context, first)
        return told, (await world.deploy()).state

    told, state = virtual_time.run(story())
    assert told is changed
    assert (state is State.LIVE) is changed


@pytest.mark.parametrize("before", AT_ONCE_BEFORE)
def test_a_deployment_of_an_earlier_changeover_is_not_told_as_changed(world: World, before: Mapping[str, Any]) -> None:
    async def story() -> State:
        world.configure(
            health={"path": "/readyz", "answers": 1, "timeout": 0.05}, push={"secret_file": "secrets/shop-hook"}
        )
        world.publish("0001")
        first = await live(world)
        earlier = replace(first, made_from=digest_without(world.context, before))
        assert earlier.made_from != first.made_from
        world.journal.save(earlier)
        assert not is_changed_since(world.context, earlier)
        return (await world.deploy()).state

    assert virtual_time.run(story()) is State.UNCHANGED


def test_a_missing_env_file_is_no_change_of_the_configuration(world: World, tmp_path: Path) -> None:
    """Nothing could be deployed: `status` names the file instead."""

    async def story() -> bool:
        (tmp_path / "shop.env").write_text("SECRET=1")
        world.configure(run={"data": "/data", "env_file": "shop.env"})
        world.publish("0001")
        first = await live(world)
        (tmp_path / "shop.env").unlink()
        return is_changed_since(world.context, first)

    assert not virtual_time.run(story())


def test_another_content_of_the_env_file_is_a_change(world: World, tmp_path: Path) -> None:
    async def story() -> State:
        (tmp_path / "shop.env").write_text("SECRET=1")
        world.configure(run={"data": "/data", "env_file": "shop.env"})
        world.publish("0001")
        await live(world)
        (tmp_path / "shop.env").write_text("SECRET=2")
        return (await world.deploy()).state

    assert virtual_time.run(story()) is State.LIVE


def test_a_kill_while_the_same_release_drains_leaves_the_standby_as_it_was(world: World) -> None:
    async def story() -> str:
        await two_releases(world)
        world.proxy.open_sessions = 1
        again = await world.scheduler.request(APP, ref="", by="test", force=True)
        await world.until_step(again, StepName.RETIRE)
        await world.new_process()
        world.proxy.open_sessions = 0
        await world.restart()
        return standby_version(world)

    assert virtual_time.run(story()) == "v1"
    assert_whole(world, "killed while draining")


@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_lost_journal_is_rebuilt_with_the_right_roles_after_the_same_release_was_deployed_again(
    world: World, rolled_back: bool
) -> None:
    async def story() -> None:
        await two_releases(world)
        await live(world, force=True)
        if rolled_back:
            await world.roll_back()
        active, standby = world.context.active, world.context.standby
        world.records = Records()
        await world.new_process()
        assert await slots_from_what_runs(world.context)
        found, kept = world.context.active, world.context.standby
        assert place(found) == place(active)
        assert place(kept) == place(standby)

    virtual_time.run(story())


def test_a_stop_while_the_release_is_compared_is_an_interruption(world: World) -> None:
    async def story() -> Deployment:
        await two_releases(world)
        asked = await world.scheduler.request(APP, ref="", by="test")
        await world.scheduler.stop()
        return world.journal.deployment(asked.id)

    ended = virtual_time.run(story())
    assert (ended.state, ended.interrupted_by) in [
        (State.FAILED, Interrupter.STOP),
        (State.UNCHANGED, None),
        (State.QUEUED, None),
    ]


def decided(model: type[BaseModel], *, at_once: Mapping[str, Any], later: Mapping[str, Any]) -> None:
    """Each key is in one of the two, whole, or a section whose keys are."""
    assert {*at_once, *later} == set(model.model_fields), model
    for name in {*at_once} & {*later}:
        assert all(isinstance(one[name], Mapping) for one in (at_once, later)), f"{name} is in both"
        section = model.model_fields[name].annotation
        kinds = [one for one in (section, *get_args(section)) if isinstance(one, type) and issubclass(one, BaseModel)]
        decided(kinds[0], at_once=at_once[name], later=later[name])


def test_of_each_key_it_is_decided_whether_it_takes_effect_at_once() -> None:
    """A new key that nobody thought of would make every container look outdated, or keep its old value silently."""
    decided(App, at_once=AT_ONCE, later=BY_DEPLOYMENT)


@pytest.mark.parametrize("ref", ["", "v1"], ids=["taken back", "asked for"])
def test_a_deployment_of_an_older_release_says_so_and_a_newer_one_says_nothing(world: World, ref: str) -> None:
    """Without --ref it takes the newest release of the source, and a newer one may have been taken back."""

    async def lines() -> tuple[list[str], list[str]]:
        _, second = await two_releases(world)
        if not ref:
            world.source.withdraw()
        older = await live(world, ref)
        assert older.version == "v1"
        return _said(world, second), _said(world, older)

    of_newer, of_older = virtual_time.run(lines())
    assert not [one for one in of_newer if "newer" in one]
    assert [one for one in of_older if "newer" in one] == ["! v1 is not newer than v2, which it replaces."]


def test_the_same_release_with_force_is_not_called_older(world: World) -> None:
    async def lines() -> list[str]:
        await two_releases(world)
        return _said(world, await live(world, force=True))

    assert not [one for one in virtual_time.run(lines()) if "newer" in one]


def _said(world: World, deployment: Deployment) -> list[str]:
    events = [one for one in world.journal.events() if one.deployment == deployment.id]
    return [str(one.fields["line"]) for one in events if one.kind == EventKind.LINE]
