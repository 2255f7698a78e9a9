"""The checks of pushes: which join, which are carried out again, and what survives a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, Slots, State, StepName
from orchestrator.domain.push_check import CheckState, Delivery, Forge, PushCheck
from orchestrator.domain.release_history import MOST_KILLED
from orchestrator.errors import UnknownApp
from orchestrator.pushes.checks import DEFECT, PAUSES_S, PushCheckRunner
from orchestrator.sources.base import SourceRelease
from orchestrator.supervision import Supervisor
from tests.support import virtual_time
from tests.support.fakes.journal import UnreliableJournal
from tests.support.fakes.source import FakeSource
from tests.unit.updates.test_checker import APP, Bench
from tests.unit.updates.test_policy import Stalling, on_host


class SlowSource(FakeSource):
    """Each question waits until the test lets it go on; what it finds is what was there when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: asyncio.Semaphore | None = None

    async def newest(self, ref: str = "") -> SourceRelease:
        found = await super().newest(ref)
        if self.turns:
            await self.turns.acquire()
        return found


class Pushes:
    """The runner on a checker with fakes."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.source = bench.source = SlowSource()
        self.context: AppContext | None = bench.app()
        self._ids = count(1)
        self.runner = self.another()

    def another(self) -> PushCheckRunner:
        """As the next process has it."""
        bench = self.bench
        return PushCheckRunner(
            bench.journal, bench.events, bench.scheduler, bench.checker, bench.supervisor, self._context
        )

    def _context(self, app: str) -> AppContext:
        if self.context is None:
            raise UnknownApp(f"No app '{app}' is configured.")
        return self.context

    async def push(self, key: str = "", body: str = "") -> tuple[PushCheck, bool]:
        key = key or f"delivery {next(self._ids)}"
        arrived = await self.runner.announced(Delivery(APP, Forge.GITHUB, key), (body or key).encode())
        self.runner.begin()
        return arrived

    async def ended(self, check: PushCheck) -> PushCheck:
        while True:
            found = self.bench.journal.push_check(APP, check.id)
            assert found is not None
            if found.state is not CheckState.WAITING:
                return found
            await asyncio.sleep(0.01)

    @property
    def deployed(self) -> list[str]:
        return [ref for _, ref, by in self.bench.scheduler.taken if by == "push"]


@pytest.fixture
def story(journal: UnreliableJournal, tmp_path: Path) -> Callable[[Callable[[Pushes], Awaitable[None]]], None]:
    """Runs a test on a clock that jumps: waiting costs no time."""

    def run(told: Callable[[Pushes], Awaitable[None]]) -> None:
        async def whole() -> None:
            pushes = Pushes(Bench(journal, tmp_path))
            try:
                await told(pushes)
            finally:
                await pushes.bench.supervisor.stop()

        virtual_time.run(whole())

    return run


Story = Callable[[Callable[[Pushes], Awaitable[None]]], None]


def test_a_push_deploys_the_newest_and_its_check_has_the_deployment(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()

        check, is_new = await pushes.push()
        ended = await pushes.ended(check)

        assert is_new
        assert pushes.deployed == [newest.source_revision]
        assert (ended.state, ended.version, ended.deployment) == (CheckState.DEPLOYMENT, newest.version, "1")

    story(told)


def test_a_push_without_anything_new_deploys_nothing_and_says_why(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())

        ended = await pushes.ended((await pushes.push())[0])

        assert (ended.state, ended.says) == (CheckState.NOTHING_NEW, "v1 is live.")
        assert pushes.deployed == []

    story(told)


def test_a_defect_ends_its_check_and_not_those_of_later_pushes(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same check was carried out again for ever, and later pushes of the app waited."""

    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        with monkeypatch.context() as broken:
            broken.setattr(pushes.bench.checker, "head", lambda context: 1 / 0)
            defect = await pushes.ended((await pushes.push())[0])

        ended = await pushes.ended((await pushes.push())[0])

        assert (defect.state, defect.says) == (CheckState.FAILED, DEFECT)
        assert (ended.state, pushes.deployed) == (CheckState.DEPLOYMENT, [newest.source_revision])

    story(told)


def test_a_known_delivery_gets_its_check_and_asks_nothing(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        first, _ = await pushes.push("one")
        await pushes.ended(first)
        asked = pushes.source.asked

        again, is_new = await pushes.push("one", body="another body")
        await asyncio.sleep(5)

        assert (again.id, is_new) == (first.id, False)
        assert pushes.source.asked == asked

    story(told)


def test_pushes_during_a_question_get_one_check_that_begins_after_them(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        pushes.source.turns = asyncio.Semaphore(0)
        pushes.source.publish()
        first, _ = await pushes.push()
        await asyncio.sleep(1)
        last = pushes.source.publish()
        others = {(await pushes.push())[0].id for _ in range(50)}

        pushes.source.turns.release()
        pushes.source.turns.release()
        ended = await pushes.ended(PushCheck(others.pop(), APP, Forge.GITHUB, first.requested_at))

        assert others == set()
        assert pushes.source.asked == 2
        assert pushes.deployed[-1] == last.source_revision
        assert ended.version == last.version

    story(told)


def test_the_same_body_joins_the_check_under_way_and_what_it_announces_is_looked_for_again(story: Story) -> None:
    """Nothing is dropped for its body alone: what was pushed after the question is found."""

    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        pushes.source.turns = asyncio.Semaphore(0)
        pushes.source.publish()
        first, _ = await pushes.push(body="same")
        await asyncio.sleep(1)
        last = pushes.source.publish()
        second, is_new = await pushes.push(body="same")

        pushes.source.turns.release()
        pushes.source.turns.release()
        ended = await pushes.ended(second)

        assert (second.id, is_new) == (first.id, True)
        assert pushes.deployed == [last.source_revision]
        assert ended.version == last.version

    story(told)


def test_a_source_that_is_away_is_asked_again_and_then_the_check_has_failed(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        pushes.source.is_away = True
        failed = await pushes.ended((await pushes.push())[0])

        assert (failed.state, pushes.source.asked) == (CheckState.FAILED, len(PAUSES_S) + 1)
        assert "does not answer" in failed.says
        assert "check_failed" in pushes.bench.kinds()

        check, _ = await pushes.push()
        await asyncio.sleep(PAUSES_S[0] / 2)
        pushes.source.is_away = False
        assert (await pushes.ended(check)).version == newest.version

    story(told)


def test_what_waits_at_a_stop_is_carried_out_by_the_next_process(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        pushes.source.turns = asyncio.Semaphore(0)
        begun, _ = await pushes.push()
        await asyncio.sleep(1)
        waits, _ = await pushes.push()
        await pushes.bench.supervisor.stop()

        pushes.bench.supervisor = Supervisor()
        pushes.source.turns = None
        pushes.runner = pushes.another()
        await pushes.runner.resume()
        await pushes.runner.resume()

        assert (await pushes.ended(begun)).version == newest.version
        assert (await pushes.ended(waits)).version == newest.version
        assert pushes.deployed == [newest.source_revision]
        assert pushes.bench.journal.unfinished_push_checks() == []

    story(told)


@pytest.mark.parametrize(
    ("ended_by", "times", "deployed_since", "is_begun_again"),
    [
        (Interrupter.STOP, 1, False, True),
        (Interrupter.STOP, MOST_KILLED, False, True),
        (Interrupter.KILL, 1, False, True),
        (Interrupter.KILL, MOST_KILLED, False, False),
        (Interrupter.PERSON, 1, False, False),
        (None, 1, False, False),
        (Interrupter.STOP, 1, True, False),
    ],
)
def test_a_deployment_that_the_end_of_the_orchestrator_interrupted_is_begun_again(
    story: Story, ended_by: Interrupter | None, times: int, deployed_since: bool, is_begun_again: bool
) -> None:
    """Its push was answered with 202, and no forge sends it a second time."""

    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        check = await pushes.ended((await pushes.push())[0])
        moment = pushes.bench.clock()
        for number in range(times):
            name = check.deployment if number == times - 1 else f"before {number}"
            state = State.FAILED if ended_by in (Interrupter.KILL, None) else State.CANCELLED
            ended = Deployment(name, APP, Kind.DEPLOY, state, "push", moment, release=newest, ended_at=moment)
            pushes.bench.journal.add(replace(ended, interrupted_by=ended_by, failure=Failure(StepName.BUILD, "x")))
        if deployed_since:
            pushes.bench.live(pushes.source.publish())

        await pushes.another().resume()
        await asyncio.sleep(60)

        found = pushes.bench.journal.push_check(APP, check.id)
        assert found is not None
        assert (found.state, found.deployment) == (CheckState.DEPLOYMENT, check.deployment)
        assert pushes.deployed == [newest.source_revision] * (1 + is_begun_again)

    story(told)


def test_a_push_that_is_sent_again_after_a_rollback_deploys_nothing(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        first = pushes.bench.live(pushes.source.publish())
        second = pushes.bench.live(pushes.source.publish(), standby=first)
        pushes.bench.journal.save_switch(APP, Slots(first, second))

        ended = await pushes.ended((await pushes.push())[0])

        assert pushes.deployed == []
        assert ended.says.startswith("v2 was live before")

    story(told)


def test_a_push_is_decided_anew_when_the_live_release_changed_while_its_request_waited(story: Story) -> None:
    """A person deployed it while the app was recovered; the push then deployed it once more."""

    async def told(pushes: Pushes) -> None:
        first = pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        pushes.bench.scheduler.meanwhile = lambda: pushes.bench.live(newest, standby=first)

        ended = await pushes.ended((await pushes.push())[0])

        assert pushes.deployed == []
        assert (ended.state, ended.says) == (CheckState.NOTHING_NEW, "v2 is live.")

    story(told)


def test_a_source_that_went_back_is_followed(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        pushes.bench.live(pushes.source.publish())
        await pushes.ended((await pushes.push())[0])
        pushes.source.withdraw()

        ended = await pushes.ended((await pushes.push())[0])

        assert pushes.deployed == ["r1"]
        assert ended.state is CheckState.DEPLOYMENT

    story(told)


def test_an_app_that_was_removed_meanwhile_ends_its_checks(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.context = None

        assert (await pushes.ended((await pushes.push())[0])).state is CheckState.FAILED

    story(told)


def test_a_push_during_a_recovery_is_checked_when_that_ends_however_long_it_takes(story: Story) -> None:
    """It ended as failed after two minutes, and nobody sends a push again."""

    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        pushes.bench.scheduler.wait_for_recovery(APP)
        check, _ = await pushes.push()
        await asyncio.sleep(3600)
        waits = pushes.bench.journal.push_check(APP, check.id)
        pushes.bench.scheduler.lane_of(APP).recovered.set()

        ended = await pushes.ended(check)

        assert waits == check
        assert pushes.source.asked == 1
        assert (ended.state, pushes.deployed) == (CheckState.DEPLOYMENT, [newest.source_revision])

    story(told)


def test_a_recovery_that_begins_during_a_check_costs_it_no_try(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())
        newest = pushes.source.publish()
        pushes.source.turns = asyncio.Semaphore(0)
        check, _ = await pushes.push()
        await asyncio.sleep(1)
        for _ in range(2 * len(PAUSES_S)):
            pushes.bench.scheduler.wait_for_recovery(APP)
            pushes.source.turns.release()
            await asyncio.sleep(100)
            pushes.bench.scheduler.lane_of(APP).recovered.set()
            await asyncio.sleep(1)

        pushes.source.turns.release()
        ended = await pushes.ended(check)

        assert (ended.state, pushes.deployed) == (CheckState.DEPLOYMENT, [newest.source_revision])

    story(told)


def test_an_app_that_is_removed_while_it_is_recovered_ends_its_checks(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.scheduler.wait_for_recovery(APP)
        check, _ = await pushes.push()
        await asyncio.sleep(1)
        pushes.context = None

        assert (await pushes.ended(check)).state is CheckState.FAILED

    story(told)


def test_the_journal_keeps_so_many_and_those_that_wait(
    journal: UnreliableJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.clock import now
    from orchestrator.journal import push_checks

    monkeypatch.setattr(push_checks, "KEPT_OF_APP", 10)
    monkeypatch.setattr(push_checks, "PRUNED_EVERY", 5)
    waits = PushCheck("0" * 16, APP, Forge.GITHUB, now())
    journal.push_arrived(Delivery(APP, Forge.GITHUB, "first"), waits)
    for number in range(1, 40):
        check = PushCheck(f"{number:016}", APP, Forge.GITHUB, now())
        journal.push_arrived(Delivery(APP, Forge.GITHUB, str(number)), check)
        journal.push_check_ended(PushCheck(check.id, APP, Forge.GITHUB, check.requested_at, CheckState.NOTHING_NEW))

    assert len(journal.push_checks(APP, 500)) <= 16
    assert journal.unfinished_push_checks() == [waits]
    assert journal.push_arrived(Delivery(APP, Forge.GITHUB, "39"), waits)[1] is False


def test_of_two_apps_that_are_pushed_in_turn_neither_is_kept_without_end(
    journal: UnreliableJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.clock import now
    from orchestrator.journal import push_checks

    monkeypatch.setattr(push_checks, "KEPT_OF_APP", 10)
    monkeypatch.setattr(push_checks, "PRUNED_EVERY", 6)
    for number in range(60):
        app = ("api", "web")[number % 2]
        check = PushCheck(f"{number:016}", app, Forge.GITHUB, now())
        journal.push_arrived(Delivery(app, Forge.GITHUB, str(number)), check)
        journal.push_check_ended(PushCheck(check.id, app, Forge.GITHUB, check.requested_at, CheckState.NOTHING_NEW))

    assert [len(journal.push_checks(app, 500)) <= 16 for app in ("api", "web")] == [True, True]


def test_a_host_that_stalls_keeps_no_push_of_another_one_waiting(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        quick = SlowSource()
        apps = {f"slow{at}": on_host(pushes.bench, f"slow{at}", "slow.test", Stalling()) for at in range(8)}
        apps["quick"] = on_host(pushes.bench, "quick", "quick.test", quick)
        bench = pushes.bench
        runner = PushCheckRunner(
            bench.journal, bench.events, bench.scheduler, bench.checker, bench.supervisor, apps.__getitem__
        )
        quick.publish()
        for app in apps:
            await runner.announced(Delivery(app, Forge.GITHUB, "one"), app.encode())
        runner.begin()
        await asyncio.sleep(1)

        assert quick.asked == 1

    story(told)


def test_a_push_asks_past_what_was_known_before(story: Story) -> None:
    async def told(pushes: Pushes) -> None:
        pushes.bench.live(pushes.source.publish())

        await pushes.ended((await pushes.push())[0])

        assert pushes.source.forgotten == 1

    story(told)
