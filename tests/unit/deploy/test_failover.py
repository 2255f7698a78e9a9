"""The standby answers when the engine says that the active container ended, and does no work otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from orchestrator.apps.crashes import Crashes
from orchestrator.apps.engine_events import EngineEvents
from orchestrator.deploy.failover import Failover
from orchestrator.deploy.park import TRIES, park
from orchestrator.doctor.report import Finding
from orchestrator.doctor.standby import stopped_standby
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.events import ConfigLoaded, EventKind, HealthChanged, Occurrence
from orchestrator.domain.schema_history import Outcome
from orchestrator.engine.base import ContainerEvent, ContainerSpec, ContainerStatus, Role
from orchestrator.errors import EngineError, ProxyError, UnknownBackup
from tests.support import virtual_time
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, app())


def watched(
    world: World, story: Callable[[], Awaitable[None]], told: Callable[[Failover], None] = lambda _failover: None
) -> None:
    """Two releases are live and standby; then the story, while failover is kept up, which `told` is told of."""

    async def run() -> None:
        crashes = world.crashes
        failover = Failover(lambda: [world.context], world.scheduler, world.events, crashes)
        world.events.add(failover)
        told(failover)
        follow = EngineEvents(world.engine, [crashes, failover]).follow
        tasks = [asyncio.create_task(failover.keep()), asyncio.create_task(follow())]
        try:
            await live(world, "0001")
            await live(world)
            await story()
        finally:
            await world.scheduler.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(run())


def active(world: World) -> Deployment:
    found = world.context.active
    assert found is not None
    return found


def standby(world: World) -> Deployment:
    found = world.context.standby
    assert found is not None
    return found


def answers(world: World) -> str:
    """The container that gets the app's requests."""
    return world.engine.at(world.proxy.running[APP].address)


async def told(world: World, action: str, container: str) -> None:
    await world.engine.happened(ContainerEvent(action, APP, Role.APP, container))


async def crash(world: World, container: str) -> None:
    """As the engine does it: it waits a moment before it restarts a container that ended."""
    one = world.engine.running[container]
    one.running, one.restarting, one.exit_code = False, one.restarts_by_itself, 137
    await told(world, "die", container)


async def come_back(world: World, container: str) -> None:
    one = world.engine.running[container]
    one.running, one.restarting = True, False
    await told(world, "start", container)


def kinds(world: World) -> list[str]:
    wanted = (EventKind.FAILED_OVER, EventKind.WENT_BACK, EventKind.FAILOVER_FAILED)
    return [event.kind for event in world.journal.events() if event.kind in wanted]


def test_a_standby_is_paused_without_a_restart_policy_and_its_connections_are_closed(world: World) -> None:
    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        assert kept.paused
        assert not kept.restarts_by_itself
        assert world.engine.running[active(world).container].restarts_by_itself
        assert standby(world).colour in world.proxy.rested

    watched(world, story)


def test_the_standby_answers_before_the_engine_has_tidied_up_after_the_active_container(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker answers no question about a container that has just ended for 0.3 to 1 s (measured)."""
    tidied_up, ask = asyncio.Event(), world.engine.status

    async def story() -> None:
        ended = active(world).container

        async def status(name: str) -> ContainerStatus | None:
            if name == ended:
                await tidied_up.wait()
            return await ask(name)

        monkeypatch.setattr(world.engine, "status", status)
        await crash(world, ended)
        await asyncio.sleep(0.1)
        assert answers(world) == standby(world).container
        tidied_up.set()
        await asyncio.sleep(0.1)
        happened = next(event for event in world.journal.events() if event.kind == EventKind.FAILED_OVER)
        assert happened.fields["cause"] == f"{ended} exited with code 137"
        await come_back(world, ended)
        await asyncio.sleep(30)
        assert answers(world) == ended

    watched(world, story)


def test_a_failover_is_told_also_when_the_engine_does_not_say_how_the_container_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = world.engine.status

    async def story() -> None:
        ended = active(world).container

        async def status(name: str) -> ContainerStatus | None:
            if name == ended:
                raise EngineError("Docker did not answer within 60 s.")
            return await ask(name)

        monkeypatch.setattr(world.engine, "status", status)
        await crash(world, ended)
        await asyncio.sleep(0.1)
        assert answers(world) == standby(world).container
        happened = next(event for event in world.journal.events() if event.kind == EventKind.FAILED_OVER)
        assert happened.fields["cause"] == f"{ended} has ended"

    watched(world, story)


def test_a_container_that_came_back_unheard_is_asked_about_at_its_next_end(world: World) -> None:
    """What the engine says when it is asked counts more than an event of before."""

    async def story() -> None:
        first, second = standby(world).container, active(world).container
        for _ in range(2):
            await crash(world, second)
            await asyncio.sleep(0.5)
            assert answers(world) == first
            one = world.engine.running[second]
            one.running, one.restarting = True, False  # and no event says so
            await asyncio.sleep(60)
            assert answers(world) == second

    watched(world, story)


def test_the_standby_answers_from_the_engines_event_until_the_active_container_is_ready_again(world: World) -> None:
    failovers: list[Failover] = []

    async def story() -> None:
        first, second = standby(world).container, active(world).container
        await crash(world, second)
        await asyncio.sleep(0.5)
        assert answers(world) == first
        assert world.engine.can_run(first)
        world.proxy.answered_by_standby = 7
        world.engine.broken.add(active(world).release.version)  # type: ignore[union-attr]
        await come_back(world, second)
        await asyncio.sleep(5)
        assert answers(world) == first, "the active container runs and is not ready yet"
        assert failovers[0].record(APP).requests == 7, "they are told meanwhile, however long it takes"
        world.engine.broken.clear()
        await asyncio.sleep(5)
        assert answers(world) == second
        assert world.engine.running[first].paused
        assert world.context.active.id == active(world).id  # type: ignore[union-attr]

    watched(world, story, failovers.append)
    assert kinds(world) == ["failed_over", "went_back"]
    back = next(event for event in world.journal.events() if event.kind == EventKind.WENT_BACK)
    assert back.fields["requests"] == 7


def test_a_release_that_becomes_live_while_the_standby_answers_ends_that_at_once(world: World) -> None:
    """For a moment, status said of a healthy release that the standby had its traffic."""
    failovers: list[Failover] = []

    async def story() -> None:
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        record = failovers[0].record(APP)
        assert record.since is not None

        told_at: list[object] = []

        class Reader:
            def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
                if happened.kind is EventKind.LIVE:
                    told_at.append(record.since)

        world.events.add(Reader())
        await live(world)
        assert told_at == [None]

    watched(world, story, failovers.append)


def test_a_standby_is_paused_when_it_has_finished_the_requests_from_before_the_switch(world: World) -> None:
    async def story() -> None:
        world.proxy.open_sessions = 1
        world.publish()
        deployment = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(deployment, StepName.RETIRE)
        kept = world.engine.running[standby(world).container]
        await asyncio.sleep(10)
        assert not kept.paused
        world.proxy.open_sessions = 0
        await asyncio.sleep(5)
        assert kept.paused

    watched(world, story)


def test_a_standby_that_answered_is_paused_when_it_has_finished_its_requests(world: World) -> None:
    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.proxy.open_sessions = 1
        await come_back(world, active(world).container)
        await asyncio.sleep(10)
        assert answers(world) == active(world).container
        assert not kept.paused
        world.proxy.open_sessions = 0
        await asyncio.sleep(1)
        assert kept.paused

    watched(world, story)


@pytest.mark.parametrize("boots", [True, False])
def test_one_that_the_engine_has_restarted_meanwhile_is_bridged_until_it_listens(world: World, boots: bool) -> None:
    """The engine may restart it before the standby is awake. A slow start must not keep requests waiting then."""

    async def story() -> None:
        first, second = standby(world).container, active(world).container
        world.engine.unpause_answers_after_s = 0.3
        world.engine.booting = {second} if boots else set()
        await crash(world, second)
        await asyncio.sleep(0.1)
        await come_back(world, second)
        await asyncio.sleep(1)
        assert answers(world) == (first if boots else second)
        world.engine.booting = set()
        await asyncio.sleep(2)
        assert answers(world) == second

    watched(world, story)


@pytest.mark.parametrize("boots", [True, False])
def test_one_that_the_engine_has_restarted_before_anybody_looked_is_bridged_until_it_listens(
    world: World, boots: bool
) -> None:
    async def story() -> None:
        first, second = standby(world).container, active(world).container
        world.engine.booting = {second} if boots else set()
        async with world.context.standby_turn:  # nobody looks meanwhile
            await crash(world, second)
            await come_back(world, second)
        await asyncio.sleep(1)
        assert answers(world) == (first if boots else second)
        world.engine.booting = set()
        await asyncio.sleep(2)
        assert answers(world) == second

    watched(world, story)


def test_a_busy_or_failing_release_keeps_its_traffic(world: World) -> None:
    async def story() -> None:
        world.engine.broken.add(active(world).release.version)  # type: ignore[union-attr]
        for action in ("oom", "start", "unpause"):
            await told(world, action, active(world).container)
        await asyncio.sleep(60)
        assert answers(world) == active(world).container
        assert world.engine.running[standby(world).container].paused

    watched(world, story)
    assert kinds(world) == []


def test_a_release_that_crashes_again_and_again_gets_the_traffic_back_later_each_time(world: World) -> None:
    async def story() -> None:
        away = []
        for _ in range(4):
            await crash(world, active(world).container)
            await asyncio.sleep(0.5)
            await come_back(world, active(world).container)
            since = asyncio.get_running_loop().time()
            for _ in range(1000):
                if answers(world) == active(world).container:
                    break
                await asyncio.sleep(0.1)
            away.append(asyncio.get_running_loop().time() - since)
            await asyncio.sleep(1)
        assert away[0] < 2 < 8 < away[1] < 11 < 18 < away[2] < 21 < 38 < away[3] < 41, away

    watched(world, story)


def test_a_standby_that_cannot_run_on_the_data_is_not_woken(world: World) -> None:
    async def story() -> None:
        world.engine.incompatible.add("0002")
        await live(world, "0002")
        kept = standby(world).container
        assert not world.engine.running[kept].running
        await crash(world, active(world).container)
        await asyncio.sleep(60)
        assert not world.engine.running[kept].running
        assert answers(world) == active(world).container

    watched(world, story)


def test_a_standby_that_does_not_answer_gets_no_traffic_and_that_is_told(world: World) -> None:
    async def story() -> None:
        world.engine.broken.add(standby(world).release.version)  # type: ignore[union-attr]
        await crash(world, active(world).container)
        await asyncio.sleep(30)
        assert answers(world) == active(world).container
        await come_back(world, active(world).container)
        await asyncio.sleep(40)
        assert world.engine.running[standby(world).container].paused

    watched(world, story)
    assert "failover_failed" in kinds(world)
    assert "failed_over" not in kinds(world)


def test_nothing_is_woken_while_requests_wait_for_a_change_of_the_data(world: World) -> None:
    async def story() -> None:
        await world.proxy.pause(APP, 300)
        world.engine.woken.clear()
        await crash(world, active(world).container)
        await asyncio.sleep(60)
        assert world.engine.woken == []
        await world.proxy.resume(APP)
        await asyncio.sleep(10)
        assert answers(world) == standby(world).container

    watched(world, story)


def test_a_container_that_the_engine_does_not_restart_is_started_again(world: World) -> None:
    async def story() -> None:
        container = active(world).container
        one = world.engine.running[container]
        one.running = False
        await told(world, "kill", container)
        await told(world, "die", container)
        await asyncio.sleep(10)
        assert one.running
        assert answers(world) == container

    watched(world, story)


@pytest.mark.parametrize("kept", ["paused", "stopped", "warm"])
def test_a_standby_that_cannot_answer_keeps_no_active_container_from_its_start(tmp_path: Path, kept: str) -> None:
    """The app was down until a person came, although its active release was well."""
    world = World(tmp_path, app(standby=kept))

    async def story() -> None:
        world.engine.broken.add(standby(world).version)
        container = active(world).container
        world.engine.running[container].running = False
        await told(world, "kill", container)
        await told(world, "die", container)
        await asyncio.sleep(20)
        assert world.engine.can_run(container)
        assert answers(world) == container

    watched(world, story)


def test_an_active_container_is_not_started_by_a_failover_during_which_a_restore_has_begun(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote then would be lost, and what it has open is moved away."""
    ran: list[str] = []
    run_to_end = world.engine.run_to_end

    async def seen(spec: ContainerSpec, *more: Any, **named: Any) -> Any:  # Any: as the engine has it
        if "orchestrator.backup_sidecar" in (spec.command or ()) and "restore" in (spec.command or ()):
            ran.extend(name for name in world.engine.app_containers() if world.engine.running[name].running)
        return await run_to_end(spec, *more, **named)

    async def story() -> None:
        world.publish()
        backup = (await world.deploy()).backup
        monkeypatch.setattr(world.engine, "run_to_end", seen)
        container = active(world).container
        world.engine.booting.add(standby(world).container)
        world.engine.running[container].running = False
        await told(world, "kill", container)
        await told(world, "die", container)
        await asyncio.sleep(1)
        restoring = asyncio.create_task(world.scheduler.restore(APP, backup, by="me", kind=Kind.RESTORE))
        await asyncio.sleep(1)
        world.engine.booting.clear()
        assert (await restoring).state is State.LIVE

    watched(world, story)
    assert ran == []


def test_a_standby_that_runs_after_a_restart_of_the_engine_is_paused_again(world: World) -> None:
    async def story() -> None:
        await asyncio.sleep(60)  # nothing else is due
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        await world.engine.goes_away()
        await asyncio.sleep(5)
        assert kept.paused

    watched(world, story)


def test_events_that_were_lost_are_made_up_for_by_the_health_probes(world: World) -> None:
    async def story() -> None:
        one = world.engine.running[active(world).container]
        one.running, one.restarting = False, True
        await world.events.publish(HealthChanged("unhealthy"), APP)
        await asyncio.sleep(1)
        assert answers(world) == standby(world).container

    watched(world, story)


def test_a_rollback_while_the_standby_answers_makes_it_the_active_release(world: World) -> None:
    async def story() -> None:
        first = standby(world).container
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        await world.roll_back()
        assert active(world).container == first
        assert answers(world) == first
        assert not world.proxy.route(APP).failed_over
        await asyncio.sleep(60)
        assert world.engine.running[first].restarts_by_itself

    watched(world, story)


def test_a_deployment_while_the_standby_answers_goes_live(world: World) -> None:
    async def story() -> None:
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        await live(world)
        assert answers(world) == active(world).container
        await asyncio.sleep(60)
        assert answers(world) == active(world).container

    watched(world, story)


@pytest.mark.parametrize("kept", ["warm", "stopped"])
def test_a_standby_is_kept_as_configured(tmp_path: Path, kept: str) -> None:
    world = World(tmp_path, app(standby=kept))

    async def story() -> None:
        one = world.engine.running[standby(world).container]
        assert (one.running, one.paused) == (kept == "warm", False)

    watched(world, story)


def test_a_standby_that_is_kept_warm_from_now_on_and_crashes_at_each_start_is_left_to_the_engine(world: World) -> None:
    """It was started again as soon as it had ended, several times a second, for ever."""

    async def story() -> None:
        await asyncio.sleep(60)
        container, wake = standby(world).container, world.engine.wake

        async def ends_soon(name: str, address: str) -> None:
            await wake(name, address)
            if name == container:
                crashing.append(asyncio.create_task(end()))

        async def end() -> None:
            await asyncio.sleep(0.3)
            await crash(world, container)

        crashing: list[asyncio.Task[None]] = []
        world.engine.wake = ends_soon  # type: ignore[assignment, method-assign]
        world.configure(standby="warm")
        await world.events.publish(ConfigLoaded([APP]))
        await asyncio.sleep(60)
        assert len(crashing) == 1
        assert world.engine.running[container].restarting

    watched(world, story)


def test_a_standby_that_holds_a_lock_runs_on_and_is_paused_when_it_holds_none(world: World) -> None:
    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        world.engine.held = ["shop.db is locked"]
        await world.engine.goes_away()
        await asyncio.sleep(7)
        assert (kept.running, kept.paused) == (True, False)
        world.engine.held = []
        await asyncio.sleep(2)
        assert kept.paused

    watched(world, story)


def test_a_standby_that_holds_a_lock_at_every_try_is_stopped(world: World) -> None:
    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        world.engine.held = ["shop.db is locked"]
        await world.engine.goes_away()
        await asyncio.sleep(TRIES * 10)
        assert not kept.running

    watched(world, story)


@pytest.mark.parametrize("later_s", [0.0, 0.02, 0.05])
def test_a_stop_leaves_no_standby_paused_that_may_hold_a_lock(world: World, later_s: float) -> None:
    """It stopped every other writer, for as long as nobody was there to look."""

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        parking = asyncio.create_task(park(world.context, standby(world), said_by=active(world)))
        while not kept.paused:
            world.engine.held = []
            await asyncio.sleep(0.001)
        world.engine.held = ["shop.db is locked"]
        await asyncio.sleep(later_s)

        parking.cancel()
        await asyncio.wait([parking])

        assert parking.cancelled()
        assert not kept.paused

    watched(world, story)


def test_a_standby_whose_parking_a_refused_restore_stopped_is_parked_again(world: World) -> None:
    async def story() -> None:
        await asyncio.sleep(60)
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        world.proxy.open_sessions = 1
        await world.engine.goes_away()
        await asyncio.sleep(1)
        assert world.scheduler.doing(APP) == "its old colour is being retired"

        with pytest.raises(UnknownBackup, match="has no backup"):
            await world.scheduler.restore(APP, "20261128-000000-000000", by="test", kind=Kind.RESTORE, release=True)

        world.proxy.open_sessions = 0
        await asyncio.sleep(60)
        assert kept.paused

    watched(world, story)


def test_a_defect_while_a_standby_is_parked_is_logged_and_it_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False
        let_end = world.engine.let_end

        async def defect(_name: str) -> None:
            raise KeyError("a defect")

        monkeypatch.setattr(world.engine, "let_end", defect)
        with structlog.testing.capture_logs() as logged:
            await world.engine.goes_away()
            await asyncio.sleep(1)
        assert any(one["event"] == "standby not parked" and one["exc_info"] for one in logged)
        monkeypatch.setattr(world.engine, "let_end", let_end)
        await asyncio.sleep(60)
        assert kept.paused

    watched(world, story)


def test_a_standby_whose_locks_cannot_be_seen_is_stopped(world: World) -> None:
    async def story() -> None:
        world.engine.refuses_lock_sidecar = EngineError("No such image: tools.", "Build it.")
        await live(world)
        kept = world.engine.running[standby(world).container]
        assert not kept.running

    watched(world, story)


@pytest.mark.parametrize(("killed", "is_paused"), [(1, True), (2, False)])
def test_a_standby_whose_watch_is_killed_is_watched_once_more(world: World, killed: int, is_paused: bool) -> None:
    """It stayed stopped, with a warning, for the end of a sidecar that says nothing about it."""

    async def story() -> None:
        world.engine.kills_lock_sidecars = killed
        world.publish()
        await world.deploy()
        await asyncio.sleep(60)
        kept = world.engine.running[standby(world).container]
        assert (kept.running, kept.paused) == (is_paused, is_paused)
        assert len(await stopped_standby(world.context)) == (0 if is_paused else 1)

    watched(world, story)


def test_a_standby_is_paused_although_its_env_file_is_missing_now(world: World, tmp_path: Path) -> None:
    """Its locks are looked at with what its container was made with."""

    async def story() -> None:
        (tmp_path / "shop.env").write_text("DATABASE_URL=postgresql://shop@db/shop\n")
        world.configure(run={"env_file": "shop.env"})
        world.publish()
        await world.deploy()
        (tmp_path / "shop.env").unlink()
        ended = await world.roll_back()
        assert ended.state is State.LIVE
        await asyncio.sleep(30)
        assert world.engine.running[standby(world).container].paused
        assert await stopped_standby(world.context) == []

    watched(world, story)


def test_the_doctor_says_that_a_standby_is_stopped_instead_of_paused(world: World) -> None:
    async def story() -> list[Finding]:
        world.engine.refuses_lock_sidecar = EngineError("No such image: tools.", "Build it.")
        world.publish()
        await world.deploy()
        await asyncio.sleep(30)
        return await stopped_standby(world.context)

    found: list[Finding] = []

    async def told() -> None:
        found.extend(await story())

    watched(world, told)
    assert ["is stopped instead of paused" in one.says for one in found] == [True]
    assert "its locks cannot be seen: No such image: tools" in found[0].says
    assert f"docker start {standby(world).container}" in found[0].remedy


def test_a_standby_that_the_engine_left_stopped_is_paused_again(world: World) -> None:
    """As after a restart of the host: it has no restart policy, so that it was stopped for ever."""

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.running = kept.paused = False
        found = await stopped_standby(world.context)
        assert ["it is started by itself" in one.remedy for one in found] == [True]
        await world.engine.goes_away()
        await asyncio.sleep(30)
        assert (kept.running, kept.paused) == (True, True)
        assert standby(world).colour in world.proxy.rested
        assert await stopped_standby(world.context) == []

    watched(world, story)


@pytest.mark.parametrize("brings_release", [False, True])
def test_the_standby_is_paused_again_after_a_restore(world: World, brings_release: bool) -> None:
    """All that writes is stopped while data is replaced. Its locks were looked at while it did not run."""

    async def story() -> None:
        world.publish()
        backup = (await world.deploy()).backup
        await asyncio.sleep(30)
        restored = await world.scheduler.restore(APP, backup, by="me", kind=Kind.RESTORE, release=brings_release)
        assert restored.state is State.LIVE, restored.failure
        await asyncio.sleep(30)
        kept = world.engine.running[standby(world).container]
        assert (kept.running, kept.paused) == (True, True)
        assert answers(world) == active(world).container

    watched(world, story)


def test_a_standby_that_does_not_start_stays_stopped_and_the_doctor_says_why(world: World) -> None:
    """It is not started for ever."""

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.running = kept.paused = False
        world.engine.broken.add(standby(world).version)
        await world.engine.goes_away()
        await asyncio.sleep(600)
        assert not kept.running
        assert world.engine.woken.count(standby(world).container) == 1
        found = await stopped_standby(world.context)
        assert "Why: The standby" in found[0].says
        assert "did not become ready within" in found[0].says

        world.engine.broken.clear()
        await world.engine.wake(standby(world).container)
        await told(world, "start", standby(world).container)
        await asyncio.sleep(30)
        assert kept.paused, "a person has started it, as the doctor says"
        assert await stopped_standby(world.context) == []

    watched(world, story)


def test_a_standby_that_cannot_be_started_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(_name: str, _address: str) -> None:
        raise EngineError("Docker refused: the port is taken.")

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.running = kept.paused = False
        monkeypatch.setattr(world.engine, "wake", refuses)
        await world.engine.goes_away()
        await asyncio.sleep(60)
        found = await stopped_standby(world.context)
        assert "Why: It cannot be started: Docker refused: the port is taken" in found[0].says

    watched(world, story)


def test_a_standby_that_ends_while_its_locks_are_looked_at_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the engine "failed to join PID namespace" said nothing to a user."""

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False

        async def ends(*_arguments: object) -> None:
            kept.running, kept.exit_code = False, 3
            raise EngineError("Docker refused: failed to join PID namespace: container is not running")

        monkeypatch.setattr(world.engine, "_look_at_locks", ends)
        await world.engine.goes_away()
        await asyncio.sleep(60)
        found = await stopped_standby(world.context)
        assert "Why: it exited with code 3 before it could be paused" in found[0].says

    watched(world, story)


def test_a_standby_that_is_killed_while_its_locks_are_looked_at_is_started_again_and_paused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One `kill -9` at that moment left it stopped until somebody started it."""
    look = world.engine._look_at_locks
    kills = [137]

    async def story() -> None:
        kept = world.engine.running[standby(world).container]
        kept.paused = False

        async def is_killed(*arguments: Any) -> object:
            if kills:
                kept.running, kept.exit_code = False, kills.pop()
                raise EngineError("Docker refused: failed to join PID namespace: container is not running")
            return await look(*arguments)

        monkeypatch.setattr(world.engine, "_look_at_locks", is_killed)
        await world.engine.goes_away()
        await asyncio.sleep(60)
        assert await stopped_standby(world.context) == []
        assert kept.paused

    watched(world, story)


@pytest.mark.parametrize(("away_s", "told"), [(3, []), (20, [EventKind.FAILOVER_FAILED])])
def test_a_proxy_that_is_away_for_a_moment_is_no_alarm(
    world: World, monkeypatch: pytest.MonkeyPatch, away_s: float, told: list[str]
) -> None:
    """`make down` stopped it some seconds before the orchestrator, and left alarms in the history of the panel."""

    async def does_not_answer() -> set[str]:
        raise ProxyError("The proxy does not answer on admin.sock.")

    async def story() -> None:
        answers = world.proxy.paused
        monkeypatch.setattr(world.proxy, "paused", does_not_answer)
        await world.engine.goes_away()
        await asyncio.sleep(away_s)
        monkeypatch.setattr(world.proxy, "paused", answers)
        await asyncio.sleep(60)

    watched(world, story)
    assert kinds(world) == told


def test_what_a_container_that_is_gone_had_in_hand_does_not_wait_for_ever(world: World) -> None:
    async def story() -> None:
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.proxy.open_sessions = 3
        await asyncio.sleep(1)
        assert world.proxy.open_sessions == 3, "some of them wait for a connection, and go to the standby"
        await asyncio.sleep(10)
        assert world.proxy.open_sessions == 0

    watched(world, story)


def test_after_a_switch_that_was_undone_the_standby_still_answers_for_the_active_release(world: World) -> None:
    async def story() -> None:
        kept = standby(world)
        world.proxy.refuses_confirmation = True
        world.publish()
        assert (await world.deploy()).state is State.FAILED
        world.proxy.refuses_confirmation = False
        assert standby(world) == kept
        await crash(world, active(world).container)
        await asyncio.sleep(1)
        assert answers(world) == kept.container

    watched(world, story)


def test_after_a_first_switch_that_was_undone_the_proxy_knows_no_container(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, app())
        world.proxy.refuses_confirmation = True
        world.publish()
        assert (await world.deploy()).state is State.FAILED
        assert world.proxy.route(APP).servers == {}
        assert APP not in world.proxy.running

    virtual_time.run(story())


@pytest.mark.parametrize("job", ["create", "restore"])
def test_nothing_is_woken_while_data_is_replaced_although_a_person_has_resumed_requests(
    world: World, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    """What it wrote then would be lost, and what it has open is moved away."""
    ran: list[str] = []
    run_to_end = world.engine.run_to_end

    async def slowly(spec: ContainerSpec, *more: Any, **named: Any) -> Any:  # Any: as the engine has it
        if job in (spec.command or ()) and "orchestrator.backup_sidecar" in (spec.command or ()):
            world.proxy.waiting.clear()
            await told(world, "die", active(world).container)
            await asyncio.sleep(20)
            ran.extend(name for name in world.engine.app_containers() if world.engine.running[name].running)
        return await run_to_end(spec, *more, **named)

    async def story() -> None:
        world.publish()
        backup = (await world.deploy()).backup
        monkeypatch.setattr(world.engine, "run_to_end", slowly)
        restored = await world.scheduler.restore(APP, backup, by="me", kind=Kind.RESTORE)
        assert restored.state is State.LIVE, restored.failure

    watched(world, story)
    assert ran == []


def test_nothing_is_woken_on_data_that_an_interrupted_restore_left_before_that_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine may be away for longer than an undo is tried. The data can be in two halves then."""
    run_to_end, away = world.engine.run_to_end, True

    async def refused(spec: ContainerSpec, *more: Any, **named: Any) -> Any:  # Any: as the engine has it
        if away and {"restore", "undo-interrupted"} & set(spec.command or ()):
            raise EngineError("Docker does not answer.")
        return await run_to_end(spec, *more, **named)

    def running() -> list[str]:
        return [name for name in world.engine.app_containers() if world.engine.running[name].running]

    async def story() -> None:
        nonlocal away
        world.publish()
        backup = (await world.deploy()).backup
        monkeypatch.setattr(world.engine, "run_to_end", refused)
        ended = await world.scheduler.restore(APP, backup, by="me", kind=Kind.RESTORE)
        assert ended.state is State.FAILED
        await asyncio.sleep(60)
        assert running() == []
        away = False
        await asyncio.sleep(60)
        assert active(world).container in running()
        assert all(run.outcome is not Outcome.RUNNING for run in world.journal.migrations(APP))

    watched(world, story)


def test_a_failover_that_is_cancelled_begins_nothing_more(world: World) -> None:
    """As at the orchestrator's stop: what is in the middle of it ends, and no container is started after that."""

    async def story() -> None:
        container = active(world).container
        world.engine.booting.add(standby(world).container)
        world.engine.running[container].running = False
        await told(world, "kill", container)
        await told(world, "die", container)
        await asyncio.sleep(1)

    watched(world, story)
    assert not world.engine.running[active(world).container].running


def test_what_is_due_when_a_person_resumes_the_requests_is_done_then(world: World) -> None:
    """Nothing tells of it if the journal is away: the standby stayed as it was configured before."""

    async def story() -> None:
        await asyncio.sleep(60)
        await world.proxy.pause(APP, 30)
        world.configure(standby="warm")
        await world.events.publish(ConfigLoaded([APP]))
        await asyncio.sleep(1)
        await world.proxy.resume(APP)
        await asyncio.sleep(10)
        kept = world.engine.running[standby(world).container]
        assert kept.running
        assert not kept.paused

    watched(world, story)


def test_since_when_and_why_the_standby_answers_are_known_after_a_restart_of_the_orchestrator(world: World) -> None:
    async def story() -> None:
        await crash(world, active(world).container)
        await asyncio.sleep(30)
        (told,) = [event for event in world.journal.events() if event.kind == EventKind.FAILED_OVER]

        restarted = Failover(lambda: [world.context], world.scheduler, world.events, Crashes())
        keep = asyncio.create_task(restarted.keep())
        await asyncio.sleep(1)
        record = restarted.record(APP)
        assert (record.since, record.cause) == (told.at, told.fields["cause"])
        keep.cancel()
        await asyncio.gather(keep, return_exceptions=True)

    watched(world, story)
