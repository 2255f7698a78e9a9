"""Checks in the background whose task ends with an error, whose deployment is refused, or who are asked meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.events import EventKind, Live
from orchestrator.domain.release import Release
from orchestrator.errors import JournalError, Refused
from tests.support import virtual_time
from tests.support.fakes.journal import UnreliableJournal
from tests.unit.updates.test_checker import APP, OUTSIDE, Bench

INTERVAL_S = 600.0
EVERY = f"auto_update: true, background_check: {{interval: {INTERVAL_S:g}}}"


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    bench = Bench(journal, tmp_path)
    bench.live(bench.source.publish())
    bench.source.publish()
    return bench


@pytest.mark.parametrize("breaks", ["changes_in", "announce", "install_if_wanted"])
@pytest.mark.parametrize("error", [ValueError("a defect"), JournalError("The journal is away.")])
def test_a_task_that_fails_again_and_again_does_not_ask_the_source_each_time(
    bench: Bench, breaks: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start of it asked the source at once: every minute, for a defect that came afterwards."""
    before = getattr(bench.checker, breaks)
    times = 0

    def fails(*arguments: object, **named: object) -> object:
        nonlocal times
        times += 1
        if breaks == "announce" and times == 1:
            return before(*arguments, **named)  # the one of the check itself
        raise error

    monkeypatch.setattr(bench.checker, breaks, fails)

    async def story() -> None:
        async with bench.following(EVERY):
            if breaks == "announce":
                await asyncio.sleep(1)
                bench.checker._background.look_again(APP)
            await asyncio.sleep(0.9 * INTERVAL_S)
            assert bench.source.asked == 1
            assert bench.supervisor.failing() == [f"update check of {APP}"]
            assert times > 5
            await asyncio.sleep(0.3 * INTERVAL_S)

    virtual_time.run(story())
    if breaks == "install_if_wanted":
        assert bench.source.asked == 1, "it does not come so far as to wait"


def test_a_task_that_works_again_asks_the_source_when_the_interval_has_passed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.checker.changes_in
    errors = iter([ValueError("a defect")] * 5)

    def fails(*arguments: object) -> object:
        if error := next(errors, None):
            raise error
        return before(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.checker, "changes_in", fails)

    async def story() -> None:
        async with bench.following(EVERY):
            await asyncio.sleep(0.99 * INTERVAL_S)
            assert bench.source.asked == 1
            await asyncio.sleep(0.12 * INTERVAL_S)
            assert bench.source.asked == 2

    virtual_time.run(story())


class Recovering:
    """As the scheduler: an app that is not recovered takes no deployment."""

    def __init__(self, bench: Bench) -> None:
        self.is_recovered = False
        self.asked = 0
        self._take = bench.scheduler.request

    async def request(self, app: str, ref: str, by: str, *, still: Callable[[], bool] = lambda: True) -> Deployment:
        self.asked += 1
        if not self.is_recovered:
            raise Refused(f"{app} is not recovered yet.", "It is tried again by itself.")
        return await self._take(app, ref, by)


def test_that_no_deployment_is_taken_is_no_failed_check_and_the_next_check_asks_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovering = Recovering(bench)
    monkeypatch.setattr(bench.scheduler, "request", recovering.request)

    async def story() -> None:
        async with bench.following(EVERY):
            await asyncio.sleep(10)
            assert recovering.asked == 1
            await bench.checker.check(bench.app())  # what is known is looked at again
            await asyncio.sleep(10)
            assert recovering.asked == 2
            assert bench.supervisor.problems == {}
            recovering.is_recovered = True
            await asyncio.sleep(1.1 * INTERVAL_S)

    virtual_time.run(story())

    assert EventKind.CHECK_FAILED not in bench.kinds()
    assert bench.scheduler.taken == [(APP, "r2", "auto_update")]


def test_checks_that_people_ask_for_do_not_have_what_failed_built_again(bench: Bench) -> None:
    """A token that may only read could have it built as often as it asked."""
    bench.tried(Release("v2", "r2"), State.FAILED, failure=OUTSIDE)

    async def story() -> None:
        async with bench.following(EVERY):
            await asyncio.sleep(10)
            for _ in range(50):
                await bench.checker.check(bench.app())
                await asyncio.sleep(1)
            assert bench.scheduler.taken == []
            await asyncio.sleep(1.1 * INTERVAL_S)

    virtual_time.run(story())

    assert bench.scheduler.taken == [(APP, "r2", "auto_update")]


def test_what_a_check_of_a_person_finds_installs_itself(bench: Bench) -> None:
    async def story() -> None:
        async with bench.following(EVERY):
            await asyncio.sleep(10)
            bench.scheduler.taken.clear()
            bench.source.publish()
            await bench.checker.check(bench.app())
            await asyncio.sleep(10)

    virtual_time.run(story())

    assert bench.scheduler.taken == [(APP, "r3", "auto_update")]


@pytest.mark.parametrize("known", [True, False])
def test_before_the_first_check_it_is_heard_that_the_source_is_to_be_asked(bench: Bench, known: bool) -> None:
    """Without a check at the start, the first one waited for its interval, whatever happened meanwhile."""
    bench.events.add(bench.checker)

    async def story() -> None:
        async with bench.following(f"check_on_startup: false, {EVERY}"):
            await asyncio.sleep(10)
            assert bench.source.asked == 0
            await bench.checker.check(bench.app())
            await asyncio.sleep(10)
            assert bench.scheduler.taken == [(APP, "r2", "auto_update")]
            assert bench.source.asked == 1
            if not known:
                bench.live(Release("v9", "nobody knew it"))
            await bench.events.publish(Live(1.0, "green"), APP)
            await asyncio.sleep(10)

    virtual_time.run(story())

    assert bench.source.asked == (1 if known else 2)
