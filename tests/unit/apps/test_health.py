"""What is known of an app's health before anybody asks, and what brings it up to date."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from orchestrator.apps.crashes import Crashes
from orchestrator.apps.engine_events import EngineEvents
from orchestrator.apps.health import (
    FRESH_WITHIN_S,
    PROBE_EVERY_S,
    PROBE_UNWELL_EVERY_S,
    REACHED_EVERY_S,
    HealthBoard,
)
from orchestrator.apps.look import Health
from orchestrator.apps.serving_check import ask_once
from orchestrator.clock import elapsed
from orchestrator.config.app_schema import Health as HealthKeys
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import State
from orchestrator.domain.events import EventKind
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.errors import JournalError
from orchestrator.host.uninterrupted import in_spite_of_cancels
from tests.support import virtual_time
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.world import APP, World


def watched(world: World, story: Callable[[HealthBoard], Awaitable[None]]) -> None:
    """Run a story while the board's two tasks run."""

    async def run() -> None:
        crashes = Crashes()
        board = HealthBoard(lambda: [world.context], world.events, crashes)
        world.events.add(board)
        engine_events = EngineEvents(world.engine, [crashes, board])
        tasks = [asyncio.create_task(board.keep_current()), asyncio.create_task(engine_events.follow())]
        try:
            await story(board)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(run())


async def live(world: World) -> str:
    world.publish()
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    return ended.container


async def told(world: World, action: str, container: str) -> None:
    """Docker says that something happened to the app's container."""
    await world.engine.happened(ContainerEvent(action, APP, Role.APP, container))


def test_an_app_that_was_never_deployed_has_no_health(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        assert await board.of(APP) is Health.NONE

    watched(world, story)


def test_a_release_that_goes_live_is_healthy_at_the_next_question(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_a_container_that_dies_is_known_as_stopped_by_the_engines_event(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        container = await live(world)
        assert await board.of(APP) is Health.HEALTHY
        world.engine.running[container].running = False
        await told(world, "die", container)
        assert await board.of(APP) is Health.STOPPED
        world.engine.running[container].running = True
        await told(world, "start", container)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_a_release_that_stops_answering_is_found_by_our_own_probes(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        assert await board.of(APP) is Health.HEALTHY
        world.engine.broken.add("v1")
        await asyncio.sleep(11)
        assert await board.of(APP) is Health.UNHEALTHY
        world.engine.broken.clear()
        await asyncio.sleep(3)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_a_release_in_whose_place_the_standby_answers_is_not_called_healthy(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        world.publish()
        await world.deploy()
        active, standby = world.context.active, world.context.standby
        assert active is not None
        assert standby is not None
        assert active.colour is not None
        await world.engine.wake(standby.container)
        await world.proxy.fail_over(APP, active.colour)
        board.due(APP)
        assert await board.of(APP) is Health.STANDBY

    watched(world, story)


@pytest.mark.parametrize(
    ("what", "is_shown"),
    [
        ("its container ended, too", Health.STOPPED),
        ("its container ended, and the active one runs", Health.UNHEALTHY),
        ("it fails", Health.STOPPED),
        ("requests are paused", Health.PAUSED),
    ],
)
def test_a_standby_that_does_not_answer_in_the_active_releases_place_is_not_said_to(
    world: World, what: str, is_shown: Health
) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        world.publish()
        await world.deploy()
        active, standby = world.context.active, world.context.standby
        assert active is not None
        assert standby is not None
        assert active.colour is not None
        await world.engine.wake(standby.container)
        world.engine.running[active.container].running = "active one runs" in what or what == "requests are paused"
        await world.proxy.fail_over(APP, active.colour)
        world.engine.running[standby.container].running = "ended" not in what
        if what == "it fails":
            world.engine.broken.add(standby.version)
        if what == "requests are paused":
            await world.proxy.pause(APP, 30)
        board.due(APP)
        assert await board.of(APP) is is_shown

    watched(world, story)


def test_a_release_that_dies_again_and_again_is_not_called_healthy_in_between(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        container = await live(world)
        for _ in range(2):
            await told(world, "die", container)
            await told(world, "start", container)
            await asyncio.sleep(4)
        assert await board.of(APP) is Health.CRASHING
        await asyncio.sleep(70)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_a_container_that_somebody_stops_and_starts_does_not_count_as_crashing(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        container = await live(world)
        for _ in range(5):
            await told(world, "kill", container)
            await told(world, "die", container)
            await told(world, "start", container)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_a_container_that_crashes_soon_after_somebody_has_stopped_and_started_it_is_crashing(world: World) -> None:
    """As one that was the standby until a moment ago: its crashes were taken for the end that was asked for."""

    async def story(board: HealthBoard) -> None:
        container = await live(world)
        for action in ("kill", "die", "start"):
            await told(world, action, container)
        for _ in range(2):
            await told(world, "die", container)
            await told(world, "start", container)
        assert await board.of(APP) is Health.CRASHING

    watched(world, story)


def test_each_change_is_told_once(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        container = await live(world)
        await board.of(APP)
        world.engine.running[container].running = False
        for _ in range(3):
            await told(world, "die", container)
            await board.of(APP)

    watched(world, story)
    changes = [event.fields["health"] for event in world.journal.events() if event.kind == EventKind.HEALTH]
    assert changes == ["healthy", "stopped"]


def test_a_change_that_the_journal_did_not_take_is_told_as_soon_as_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a full disk, which the app is unwell for, too: who is told of outages never heard of this one."""

    async def takes_nothing(*_args: object) -> None:
        raise JournalError("The disk is full.", "Make room.")

    async def story(board: HealthBoard) -> None:
        await live(world)
        await board.of(APP)
        with monkeypatch.context() as patched:
            patched.setattr(world.events, "publish", takes_nothing)
            world.engine.broken.add("v1")
            await asyncio.sleep(60)
            assert await board.of(APP) is Health.UNHEALTHY
        await asyncio.sleep(60)

    watched(world, story)
    changes = [event.fields["health"] for event in world.journal.events() if event.kind == EventKind.HEALTH]
    assert changes == ["healthy", "unhealthy"]


def test_what_changes_twice_while_the_journal_takes_nothing_is_told_when_it_changes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal says that only after seconds, in which the next probe has found something else."""
    publish, turn = world.events.publish, asyncio.Lock()

    async def takes_nothing(*_args: object) -> None:
        async with turn:
            await asyncio.sleep(PROBE_UNWELL_EVERY_S)
        raise JournalError("It does not answer.", "Look at its disk.")

    async def story(board: HealthBoard) -> None:
        container = await live(world)
        await board.of(APP)
        monkeypatch.setattr(world.events, "publish", takes_nothing)
        for is_well in (False, True, False):
            (world.engine.broken.discard if is_well else world.engine.broken.add)("v1")
            await told(world, "start", container)
            assert await board.of(APP) is (Health.HEALTHY if is_well else Health.UNHEALTHY)
            if is_well:
                await asyncio.sleep(3 * PROBE_UNWELL_EVERY_S)
                monkeypatch.setattr(world.events, "publish", publish)
        await asyncio.sleep(2 * PROBE_EVERY_S)

    watched(world, story)
    changes = [event.fields["health"] for event in world.journal.events() if event.kind == EventKind.HEALTH]
    assert changes == ["healthy", "unhealthy"]


def test_whatever_is_known_is_answered_at_once_while_nothing_happens(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        await board.of(APP)
        asked = world.proxy.asked
        for _ in range(100):
            assert await board.of(APP) is Health.HEALTHY
        assert world.proxy.asked == asked

    watched(world, story)


def test_an_engine_that_was_away_makes_every_app_due(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        container = await live(world)
        assert await board.of(APP) is Health.HEALTHY
        world.engine.running[container].running = False
        await world.engine.goes_away()
        await asyncio.sleep(1)
        assert await board.of(APP) is Health.STOPPED

    watched(world, story)


def test_what_happens_while_the_events_are_opened_again_is_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was looked at before they were open: a container that ended in between was heard of by nobody."""
    watch = world.engine.watch

    async def opens_slowly() -> AsyncIterator[ContainerEvent]:
        await asyncio.sleep(1)
        async for event in watch():
            yield event

    async def story(board: HealthBoard) -> None:
        container = await live(world)
        await asyncio.sleep(2)
        assert await board.of(APP) is Health.HEALTHY
        await world.engine.goes_away()
        await asyncio.sleep(0.7)
        world.engine.running[container].running = False
        await told(world, "die", container)
        await asyncio.sleep(1)
        assert await board.of(APP) is Health.STOPPED

    monkeypatch.setattr(world.engine, "watch", opens_slowly)
    watched(world, story)


def test_an_app_whose_requests_are_paused_is_not_called_healthy(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        await world.proxy.pause(APP, 30)
        board.due(APP)
        assert await board.of(APP) is Health.PAUSED
        await world.proxy.resume(APP)
        board.due(APP)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_an_app_whose_route_leads_elsewhere_is_unreached_and_says_where(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        assert await board.of(APP) is Health.HEALTHY
        asked = world.proxy.asked
        world.proxy.leads_elsewhere = "the proxy knows no app for shop.test/"
        board.due(APP)
        await asyncio.sleep(2)
        assert await board.of(APP) is Health.UNREACHED
        assert board.why(APP) == "the proxy knows no app for shop.test/"
        assert world.proxy.asked - asked <= 3, "the app itself is asked no more often than before"
        world.proxy.leads_elsewhere = ""
        board.due(APP)
        assert await board.of(APP) is Health.HEALTHY
        assert board.why(APP) == ""

    watched(world, story)


def test_a_route_that_leads_elsewhere_without_news_is_found_within_half_a_minute_and_once_right_at_the_next_look(
    world: World,
) -> None:
    """Such as a map that somebody else has changed in the running proxy."""

    async def story(board: HealthBoard) -> None:
        await live(world)
        await asyncio.sleep(60)
        asked = world.proxy.asked_where
        await asyncio.sleep(60)
        assert world.proxy.asked_where - asked <= 3, "a request to the proxy for each host of each app"
        world.proxy.leads_elsewhere = "the proxy knows no app for shop.test/"
        await asyncio.sleep(REACHED_EVERY_S + PROBE_EVERY_S + 1)
        assert await board.of(APP) is Health.UNREACHED
        world.proxy.leads_elsewhere = ""
        await asyncio.sleep(PROBE_UNWELL_EVERY_S + 1)
        assert await board.of(APP) is Health.HEALTHY

    watched(world, story)


def test_where_an_app_leads_that_was_not_healthy_is_asked_as_soon_as_it_is(world: World) -> None:
    async def story(board: HealthBoard) -> None:
        await live(world)
        await asyncio.sleep(REACHED_EVERY_S + PROBE_EVERY_S)
        world.engine.broken.add("v1")
        await asyncio.sleep(PROBE_EVERY_S + 1)
        assert await board.of(APP) is Health.UNHEALTHY
        world.proxy.leads_elsewhere = "the proxy knows no app for shop.test/"
        world.engine.broken.clear()
        await asyncio.sleep(PROBE_UNWELL_EVERY_S + 1)
        assert await board.of(APP) is Health.UNREACHED

    watched(world, story)


def test_probes_of_many_apps_come_together_whatever_happened_to_each(world: World) -> None:
    """They share one question about pauses, which each of fifty apps had asked for itself."""

    async def story() -> None:
        await live(world)
        names = [f"app{number}" for number in range(20)]
        proxy = AskedAt(world.engine)
        proxy.know([replace(world.proxy.route(APP), app=name) for name in names])
        for name in names:
            world.journal.save_switch(name, world.journal.slots(APP))
        contexts = [replace(world.context, name=name, proxy=proxy) for name in names]
        board = HealthBoard(lambda: contexts, world.events, Crashes())
        keeping = asyncio.create_task(board.keep_current())
        for name in names:
            board.due(name)
            await asyncio.sleep(0.37)
        proxy.moments.clear()
        await asyncio.sleep(100)

        asked = Counter(round(moment, 1) for moment in proxy.moments)
        assert sum(asked.values()) >= 9 * len(names)
        assert len(asked) <= 110, "one round a second at most"
        assert all(moment % 1 == 0 for moment in asked)
        keeping.cancel()

    virtual_time.run(story())


class AskedAt(FakeProxy):
    """Notes when its apps are probed."""

    def __init__(self, engine: FakeEngine) -> None:
        super().__init__(engine)
        self.moments: list[float] = []

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        self.moments.append(elapsed())
        return await super().ask_colour(app, colour, path, timeout_s)


@pytest.mark.parametrize(
    ("what", "health", "why"),
    [
        ("answers badly", Health.UNHEALTHY, "through the proxy, /readyz answered with status 503 instead of 200 to"),
        ("is paused", Health.UNHEALTHY, "its container is paused"),
        ("has ended", Health.STOPPED, "its container exited with code 3"),
        ("is removed", Health.STOPPED, "its container does not exist any more"),
    ],
)
def test_a_release_that_does_not_serve_says_why(what: str, health: Health, why: str, world: World) -> None:
    async def story(board: HealthBoard) -> None:
        name = await live(world)
        container, active = world.engine.running[name], world.context.active
        assert active is not None
        match what:
            case "answers badly":
                world.engine.broken.add(active.version)
            case "is paused":
                container.paused = True
            case "has ended":
                container.running, container.exit_code = False, 3
            case _:
                del world.engine.running[name]
        board.due(APP)
        assert await board.of(APP) is health
        assert board.why(APP).startswith(why), board.why(APP)

    watched(world, story)


def test_a_release_whose_route_leads_elsewhere_does_not_count_as_serving(world: World) -> None:
    async def story(_board: HealthBoard) -> None:
        await live(world)
        world.proxy.leads_elsewhere = "the proxy sends shop.test/ to another app, 'blog'"
        said = await ask_once(world.context)
        assert not said.answers
        assert "its requests do not reach it: the proxy sends shop.test/ to another app, 'blog'." in said.says

    watched(world, story)


class SlowProxy(FakeProxy):
    """The first probe through it takes a while; what it says by then was true when it began."""

    def __init__(self, world: World, takes_s: float) -> None:
        super().__init__(world.engine)
        self.know([world.proxy.route(APP)])
        self.running = world.proxy.running
        self._takes_s = takes_s
        self.asks = 0

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        self.asks += 1
        answer = await super().ask_colour(app, colour, path, timeout_s)
        await asyncio.sleep(self._takes_s)
        return answer


def test_an_event_during_a_probe_makes_what_that_probe_finds_outdated(world: World) -> None:
    async def story() -> None:
        container = await live(world)
        world.proxy = SlowProxy(world, 0.5)
        context = replace(world.context, proxy=world.proxy)
        board = HealthBoard(lambda: [context], world.events, Crashes())
        keeping = asyncio.create_task(board.keep_current())
        await asyncio.sleep(0.1)
        world.engine.running[container].running = False
        board.due(APP)
        await asyncio.sleep(0.5)

        assert await board.of(APP) is Health.STOPPED
        keeping.cancel()

    virtual_time.run(story())


def test_no_probe_runs_on_after_the_end(world: World) -> None:
    async def story() -> None:
        await live(world)
        proxy = SlowProxy(world, 0.0)
        context = replace(world.context, proxy=proxy)

        async def ask_uninterrupted(app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
            """As a call of the engine is awaited to its end, whoever cancels."""
            proxy.asks += 1
            await in_spite_of_cancels(asyncio.sleep(1))
            proxy.asks -= 1
            return httpx.Response(200)

        proxy.ask_colour = ask_uninterrupted  # type: ignore[method-assign]
        keeping = asyncio.create_task(HealthBoard(lambda: [context], world.events, Crashes()).keep_current())
        await asyncio.sleep(0.1)
        assert proxy.asks == 1
        keeping.cancel()
        await asyncio.wait([keeping])
        assert proxy.asks == 0

    virtual_time.run(story())


class SilentProxy(FakeProxy):
    """No app answers through it."""

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        await asyncio.sleep(3600)
        raise AssertionError("a probe has a time limit of its own")


def test_an_app_whose_health_path_never_ends_keeps_nobody_waiting(world: World) -> None:
    """`status` hung, and nobody could sign in."""

    async def story() -> None:
        await live(world)
        world.journal.save_switch("silent", world.journal.slots(APP))
        proxy = SilentProxy(world.engine)
        proxy.know([replace(world.proxy.route(APP), app="silent")])
        silent = replace(world.context, name="silent", proxy=proxy)
        board = HealthBoard(lambda: [silent, world.context], world.events, Crashes())
        keeping = asyncio.create_task(board.keep_current())
        began = asyncio.get_running_loop().time()

        found = await asyncio.gather(*(board.of(name) for name in ("silent", "silent", "silent", APP)))

        assert found[-1] is Health.HEALTHY
        assert asyncio.get_running_loop().time() - began <= FRESH_WITHIN_S + 0.1
        keeping.cancel()

    virtual_time.run(story())


class StaticSite(FakeProxy):
    """In front of an app that has no /readyz, and logs each request for it as an error."""

    def __init__(self, engine: FakeEngine) -> None:
        super().__init__(engine)
        self.paths: list[str] = []

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        self.paths.append(path)
        answer = await super().ask_colour(app, colour, path, timeout_s)
        return answer if path == "/" else httpx.Response(404)


def test_an_app_without_readyz_is_not_asked_for_it_again_and_again(world: World) -> None:
    """nginx wrote an error to its log every ten seconds, for ever, in which nobody found the app's own."""

    async def story() -> None:
        await live(world)
        proxy = StaticSite(world.engine)
        proxy.know([world.proxy.route(APP)])
        site = replace(
            world.context, proxy=proxy, config=world.context.config.model_copy(update={"health": HealthKeys()})
        )
        board = HealthBoard(lambda: [site], world.events, Crashes())
        keeping = asyncio.create_task(board.keep_current())

        await asyncio.sleep(60)

        assert await board.of(APP) is Health.HEALTHY
        assert proxy.paths[:3] == ["/readyz", "/", "/"]
        assert proxy.paths.count("/readyz") == 1
        world.engine.broken.add("v1")
        await asyncio.sleep(30)
        assert await board.of(APP) is Health.UNHEALTHY
        assert proxy.paths.count("/readyz") > 1, "what does not answer well is asked for both"
        keeping.cancel()

    virtual_time.run(story())
