"""When an app's release that does not serve is an outage: not at once, not for a deployment's sake, and told once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from orchestrator.apps.look import Health
from orchestrator.apps.outages import AFTER_S, AGAIN_AFTER_S, UNWELL, Outages
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.events import Event, FailedOver, HealthChanged, NewEvent, Occurrence, WentBack
from orchestrator.domain.outage_events import Outage, OutageOver
from orchestrator.errors import JournalError, UnknownDeployment
from tests.support import virtual_time
from tests.support.fakes.world import APP, World

SLOWLY = sorted(UNWELL - {Health.CRASHING})


@dataclass
class Watch:
    """An orchestrator's outages, with what is told of an app's health."""

    world: World
    why: str = "it answered 500"
    busy: Deployment | None = None

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What a new process knows."""
        known = (lambda _app: self.why, lambda _app: self.busy)
        self.outages = Outages(self.world.apps, self.world.journal, self.world.events, *known)

    def health(self, health: Health) -> None:
        self.outages.notify(HealthChanged(health), APP, "")

    def failed_over(self) -> None:
        self.outages.notify(FailedOver("v1", "shop-blue exited with code 137", 0.4), APP, "")

    def went_back(self) -> None:
        self.outages.notify(WentBack(3, 5.0), APP, "")

    def told(self) -> list[Event]:
        return [one for one in self.world.journal.events() if one.kind in ("outage", "outage_over")]

    def kinds(self) -> list[str]:
        return [one.kind for one in self.told()]


def watched(world: World, story: Callable[[Watch], Awaitable[None]]) -> Watch:
    watch = Watch(world)

    async def run() -> None:
        world.publish()
        assert (await world.deploy()).state is State.LIVE
        keeping = asyncio.create_task(watch.outages.keep_current())
        try:
            await story(watch)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    virtual_time.run(run())
    return watch


@pytest.mark.parametrize("health", SLOWLY)
def test_what_does_not_serve_for_a_while_is_told_once_and_when_it_is_over(world: World, health: Health) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.HEALTHY)
        watch.health(health)
        await asyncio.sleep(AFTER_S - 1)
        assert not watch.told()
        await asyncio.sleep(100 * AFTER_S)
        assert watch.kinds() == ["outage"]
        watch.health(Health.HEALTHY)
        await asyncio.sleep(AFTER_S - 1)
        assert watch.kinds() == ["outage"]
        await asyncio.sleep(2)

    began, over = watched(world, story).told()
    assert began.fields == {
        "version": "v1", "health": health, "cause": "it answered 500", "instead": "",
        "seconds": pytest.approx(AFTER_S, abs=0.1),
    }  # fmt: skip
    assert over.kind == "outage_over"
    assert over.fields["version"] == "v1"


def test_a_container_that_ended_is_told_at_once_although_it_answers_again_soon(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.HEALTHY)
        watch.failed_over()
        watch.health(Health.STANDBY)
        watch.health(Health.HEALTHY)
        await asyncio.sleep(1)
        assert watch.kinds() == ["outage"]
        watch.failed_over()  # again within the minute: it is the same outage
        await asyncio.sleep(3 * AFTER_S)
        watch.failed_over()
        await asyncio.sleep(1)

    watch = watched(world, story)
    assert watch.kinds() == ["outage", "outage_over", "outage"]
    assert watch.told()[0].fields == {
        "version": "v1", "health": "standby", "cause": "shop-blue exited with code 137", "instead": "v1",
        "seconds": pytest.approx(0, abs=0.1),
    }  # fmt: skip


def test_a_failover_between_two_probes_is_an_outage_of_its_seconds_that_is_over_a_minute_later(world: World) -> None:
    """It was said to have taken 0 s."""

    async def story(watch: Watch) -> None:
        watch.health(Health.HEALTHY)
        await asyncio.sleep(10 * AFTER_S)
        watch.failed_over()
        await asyncio.sleep(5)
        watch.went_back()
        await asyncio.sleep(AFTER_S - 1)
        assert watch.kinds() == ["outage"]
        await asyncio.sleep(2)

    assert watched(world, story).told()[-1].fields["seconds"] == pytest.approx(5, abs=0.1)


def test_how_long_a_failover_took_is_not_known_where_nobody_hears_that_the_traffic_went_back(world: World) -> None:
    """As where the journal did not take that event, or a switch ended it."""

    async def story(watch: Watch) -> None:
        watch.health(Health.HEALTHY)
        await asyncio.sleep(10)
        watch.failed_over()
        await asyncio.sleep(2 * AFTER_S)

    assert watched(world, story).told()[-1].fields == {"version": "v1", "seconds": 0.0}


def test_a_container_that_ends_again_and_again_is_told_at_once(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.why = ""
        watch.health(Health.CRASHING)
        await asyncio.sleep(1)

    (told,) = watched(world, story).told()
    assert told.fields["cause"] == "its container has ended several times in the last minutes"


def test_what_answers_again_within_the_minute_is_no_outage_however_often(world: World) -> None:
    async def story(watch: Watch) -> None:
        for _ in range(100):
            watch.health(Health.UNHEALTHY)
            watch.health(Health.UNREACHED)
            await asyncio.sleep(AFTER_S - 1)
            watch.health(Health.HEALTHY)
            await asyncio.sleep(1)

    assert watched(world, story).kinds() == []


def test_one_kind_of_illness_after_another_is_one_outage(world: World) -> None:
    async def story(watch: Watch) -> None:
        for health in (*SLOWLY, Health.CRASHING):
            watch.health(health)
            await asyncio.sleep(AFTER_S / 3)

    assert watched(world, story).kinds() == ["outage"]


def test_what_flaps_in_an_outage_is_not_told_again_until_it_was_well_for_a_while(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.UNHEALTHY)
        for _ in range(20):
            await asyncio.sleep(AFTER_S + 1)
            watch.health(Health.HEALTHY)
            await asyncio.sleep(AFTER_S - 1)
            watch.health(Health.UNHEALTHY)

    assert watched(world, story).kinds() == ["outage"]


def test_what_a_deployment_or_a_pause_does_to_an_app_is_no_outage(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.PAUSED)
        await asyncio.sleep(10 * AFTER_S)
        watch.busy = replace(world.queue_without_running(), state=State.RUNNING)
        world.journal.save(watch.busy)
        watch.health(Health.STOPPED)
        await asyncio.sleep(10 * AFTER_S)
        assert watch.kinds() == []
        watch.busy = None
        await asyncio.sleep(2 * AFTER_S + 1)
        assert watch.kinds() == ["outage"]

    watched(world, story)


def test_an_outage_is_not_over_as_soon_as_a_pause_is(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(AFTER_S + 1)
        watch.health(Health.PAUSED)
        await asyncio.sleep(10 * AFTER_S)
        watch.health(Health.HEALTHY)
        await asyncio.sleep(AFTER_S / 2)

    assert watched(world, story).kinds() == ["outage"]


def test_a_deployment_that_only_waits_keeps_no_outage_from_being_told(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.busy = world.queue_without_running()
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(AFTER_S + 1)

    assert watched(world, story).kinds() == ["outage"]


@pytest.mark.parametrize("well", [True, False])
def test_a_new_process_knows_what_was_told(world: World, *, well: bool) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(AFTER_S + 1)
        watch.restart()
        keeping = asyncio.create_task(watch.outages.keep_current())
        watch.health(Health.HEALTHY if well else Health.UNHEALTHY)
        await asyncio.sleep(3 * AFTER_S)
        keeping.cancel()

    watch = watched(world, story)
    assert watch.kinds() == (["outage", "outage_over"] if well else ["outage"])
    if well:
        lasted = watch.told()[-1].fields["seconds"]
        assert lasted == pytest.approx(AFTER_S, abs=2), "with what was before it was told; no day passes here"


def test_a_new_process_knows_what_was_told_of_one_app_before_thousands_of_outages_of_another(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(AFTER_S + 1)
        others = [Outage("v1", "stopped", ""), OutageOver("v1", 60.0)]
        world.journal.append_events([NewEvent(one.kind, "other", "", one.as_json()) for one in others] * 1000)
        watch.restart()
        keeping = asyncio.create_task(watch.outages.keep_current())
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(3 * AFTER_S)
        keeping.cancel()

    watched(world, story)
    told = world.journal.events(limit=10_000)
    assert [one.kind for one in told if one.app == APP and one.kind == "outage"] == ["outage"]


def test_a_journal_that_is_away_delays_an_outage_and_loses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(watch: Watch) -> None:
        with monkeypatch.context() as patched:

            async def away(*_args: object) -> None:
                raise JournalError("The journal is away.", "Wait.")

            patched.setattr(world.events, "publish", away)
            watch.failed_over()
            await asyncio.sleep(20)
        assert watch.kinds() == []
        await asyncio.sleep(AGAIN_AFTER_S + 1)

    assert watched(world, story).kinds() == ["outage"]


def test_how_long_an_outage_took_is_without_the_minute_until_it_is_over(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(300)
        watch.health(Health.HEALTHY)
        await asyncio.sleep(300)

    assert watched(world, story).told()[-1].fields["seconds"] == pytest.approx(300, abs=1)


@pytest.mark.parametrize("instead", [Health.HEALTHY, Health.UNHEALTHY])
def test_what_happens_while_an_outage_or_its_end_is_recorded_does_not_shorten_it(
    world: World, instead: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow journal: the first outage was said to have taken 0 s, or the second one."""
    publish = world.events.publish

    async def slowly(happened: Occurrence, app: str = "", deployment: str = "") -> None:
        if isinstance(happened, Outage if instead is Health.HEALTHY else OutageOver):
            await asyncio.sleep(2)
        await publish(happened, app, deployment)

    async def story(watch: Watch) -> None:
        monkeypatch.setattr(world.events, "publish", slowly)
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(AFTER_S + 1)
        watch.health(Health.HEALTHY)
        await asyncio.sleep(AFTER_S + 1)
        if instead is Health.UNHEALTHY:
            watch.health(Health.UNHEALTHY)
            await asyncio.sleep(AFTER_S + 2)
            watch.health(Health.HEALTHY)
        await asyncio.sleep(2 * AFTER_S)

    told = [one.fields["seconds"] for one in watched(world, story).told() if one.kind == "outage_over"]
    assert told == [pytest.approx(AFTER_S + 1, abs=2)] * (1 if instead is Health.HEALTHY else 2)


@pytest.mark.parametrize("defect", [UnknownDeployment("It is not there.", "Restore the journal."), ValueError()])
def test_what_is_wrong_with_one_app_keeps_no_outage_of_another_from_being_told(world: World, defect: Exception) -> None:
    """Such as a slot in the journal whose deployment is not there. A defect is told by the supervisor."""

    def why(app: str) -> str:
        if app == "broken":
            raise defect
        return ""

    async def run() -> None:
        world.publish()
        await world.deploy()
        contexts = [replace(world.context, name=name) for name in ("broken", APP)]
        outages = Outages(lambda: contexts, world.journal, world.events, why, lambda _app: None)
        for context in contexts:
            outages.notify(HealthChanged(Health.CRASHING), context.name, "")
        keeping = asyncio.create_task(outages.keep_current())
        await asyncio.wait([keeping], timeout=AFTER_S)
        assert keeping.done() is isinstance(defect, ValueError)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    virtual_time.run(run())
    assert [(one.app, one.kind) for one in world.journal.events() if one.kind == "outage"] == [(APP, "outage")]


def test_an_app_that_is_taken_out_in_an_outage_and_comes_back_is_not_told_twice(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.failed_over()
        await asyncio.sleep(1)
        world.is_configured = False
        watch.health(Health.NONE)
        await asyncio.sleep(1)
        world.is_configured = True
        watch.health(Health.UNHEALTHY)
        await asyncio.sleep(2 * AFTER_S)
        watch.health(Health.HEALTHY)
        await asyncio.sleep(2 * AFTER_S)

    assert watched(world, story).kinds() == ["outage", "outage_over"]


def test_an_app_that_is_taken_out_is_forgotten(world: World) -> None:
    async def story(watch: Watch) -> None:
        watch.health(Health.STOPPED)
        world.is_configured = False
        await asyncio.sleep(3 * AFTER_S)

    assert watched(world, story).kinds() == []
