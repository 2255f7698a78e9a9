"""What must not be lost: by files that cannot be read, services that refuse, a journal that is away, and defects."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.clock import now
from orchestrator.config.notify_urls import ServiceUrl
from orchestrator.domain.events import Live
from orchestrator.domain.notice import About, Notice
from orchestrator.domain.update_events import CheckFailed
from orchestrator.notices.courier import Answer, Rounds
from orchestrator.notices.lanes import MOST_WAITING, Fate, Lanes
from orchestrator.notices.trials import Trials
from tests.support.fakes.courier import FakeCourier, fails
from tests.support.fakes.journal import UnreliableJournal
from tests.unit.notices.test_notifier import OTHER, SHOP, TOLD, URL, Bench

LIVE = Live(1.0, "green")


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    return Bench(journal, tmp_path)


async def are_live(bench: Bench, *versions: str) -> None:
    for version in versions:
        bench.deployment(f"d-{version}", version)
        await bench.happens(LIVE, deployment=f"d-{version}")


@pytest.mark.parametrize("is_restart", [False, True])
@pytest.mark.parametrize("text", [None, "", "# nobody\n", "no-url\n"])
async def test_a_notice_waits_until_a_url_can_be_read(bench: Bench, text: str | None, is_restart: bool) -> None:
    if is_restart:
        bench.courier.answers[URL] = [fails()] * 1000
        await are_live(bench, "v2")
        async with bench.sending():
            await bench.until(lambda: bool(bench.journal.waiting_notices()))
        bench.courier.answers.clear()
        bench.restart()
    (bench.folder / "notify").unlink()
    if text is not None:
        (bench.folder / "notify").write_text(text)
    if not is_restart:
        await are_live(bench, "v2")
    async with bench.sending():
        await bench.until(lambda: any("not sent" in one for one in bench.failures()))
        bench.urls(URL)
        await bench.until(lambda: bench.titles() == ["shop v2 is live"])
        await bench.until(lambda: not bench.journal.waiting_notices())


async def test_a_notice_whose_urls_cannot_be_read_for_a_day_is_dropped(bench: Bench) -> None:
    (bench.folder / "notify").unlink()
    await are_live(bench, "v2")
    async with bench.sending():
        await bench.until(lambda: bool(bench.failures()))
        assert len(bench.journal.waiting_notices()) == bench.notices.waiting.total() == 1
        bench.clock.go_on(timedelta(hours=25))
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert bench.notices.waiting.total() == 0


@pytest.mark.parametrize(("is_of_url", "told"), [(False, ["shop v2 is live", "shop v3 is live"]), (True, [])])
async def test_a_refused_message_drops_itself_alone_unless_the_url_is_refused(
    bench: Bench, is_of_url: bool, told: list[str]
) -> None:
    bench.courier.gate = asyncio.Event()
    bench.courier.answers[URL] = [fails("error=413.", is_refused=True, is_of_url=is_of_url)]
    await are_live(bench, "v1", "v2", "v3")
    async with bench.sending():
        await bench.until(lambda: bench.notices.lanes.waiting.total() == 3 and bool(bench.courier.runs))
        bench.courier.gate.set()
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert bench.titles() == told
    counts = {Fate.TAKEN: len(told), Fate.DROPPED: 3 - len(told)}
    assert bench.notices.lanes.total == {("shop", fate): count for fate, count in counts.items() if count}


async def test_each_notice_is_tried_for_six_hours_of_its_own(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()] * 1000
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: len(bench.journal.waiting_notices()) == 1)
        bench.clock.go_on(timedelta(hours=5))
        await are_live(bench, "v2")
        await bench.until(lambda: bench.notices.lanes.waiting.total() == 2)
        bench.clock.go_on(timedelta(hours=2))
        await bench.until(lambda: len(bench.journal.waiting_notices()) == 1)
        bench.courier.answers.clear()
        await bench.until(lambda: bool(bench.titles()))

    assert bench.titles() == ["shop v2 is live"]


async def test_what_waited_for_a_removed_url_survives_that_the_journal_is_away(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()] * 1000
    await are_live(bench, "v1", "v2")
    task = asyncio.create_task(bench.notices.keep_sending())
    await bench.until(lambda: bench.notices.lanes.waiting.total() == 2)
    with bench.journal.away():
        bench.configuration = SHOP
        with pytest.raises(ExceptionGroup):
            await task
    bench.configuration = TOLD + SHOP
    bench.courier.answers.clear()
    await bench.all_sent()

    assert sorted(bench.titles()) == ["shop v1 is live", "shop v2 is live"]


async def test_that_checks_fail_is_told_although_the_journal_was_away_when_it_was_to_be_queued(bench: Bench) -> None:
    await bench.happens(CheckFailed("No answer.", "Wait."))
    with bench.journal.away(), pytest.raises(ExceptionGroup):
        await bench.notices.keep_sending()
    await bench.all_sent()

    assert bench.titles() == ["shop: checks for updates fail"]


async def test_checks_of_a_removed_app_do_not_fail_any_more(bench: Bench) -> None:
    bench.journal.check_failed("gone")
    bench.journal.check_failed("shop")
    async with bench.sending():
        await bench.until(lambda: not bench.journal.checks_fail("gone"))

    assert bench.journal.checks_fail("shop")


async def test_an_event_that_is_a_defect_keeps_no_other_waiting(bench: Bench) -> None:
    bench.notices.notify(CheckFailed(None, ""), "shop", "")  # type: ignore[arg-type]
    await are_live(bench, "v2")
    async with bench.sending():
        await bench.until(lambda: bench.titles() == ["shop v2 is live"])


async def test_what_is_wrong_with_the_file_of_one_app_is_told_once_whatever_other_apps_have(bench: Bench) -> None:
    (bench.folder / "of-shop").write_text(f"no-url\n{URL}\n")
    bench.urls(OTHER, file="of-blog")
    blog = "  blog:\n    update: {git: {remote: /srv/blog}}\n    route: {host: blog.test}\n"
    bench.configuration = f"{SHOP}    notify: [{{url_file: of-shop}}]\n{blog}    notify: [{{url_file: of-blog}}]\n"
    bench.deployment("d2", "v9", app="blog")
    for version in ("v1", "v2", "v3"):
        await are_live(bench, version)
        await bench.happens(LIVE, "blog", "d2")
    await bench.all_sent()

    assert len(bench.failures()) == 1


async def test_a_test_gives_each_process_few_services(bench: Bench) -> None:
    bench.urls(*(f"{URL}/{at}" for at in range(20)))
    trial = await Trials(bench.notices).test(None, "anna")

    assert [one.taken for one in trial.services] == [True] * 20
    assert [len(run) for run in bench.courier.runs] == [12, 8]


async def test_the_parts_of_a_url_that_was_written_while_this_runs_are_not_shown(bench: Bench) -> None:
    bench.urls("json://anna:correct-horse@hooks.test/T0KEN-4711-abc")
    await bench.notices.current()

    shown = bench.secrets.text("It said correct-horse and T0KEN-4711-abc.")
    assert "horse" not in shown
    assert "T0KEN" not in shown


async def test_what_overflows_during_a_send_is_told_with_the_next_message() -> None:
    async def yes(_service: ServiceUrl) -> bool:
        return True

    async def nothing(*_said: object) -> None:
        return None

    courier = FakeCourier()
    courier.gate = asyncio.Event()
    lanes = Lanes(Rounds(courier), yes, nothing, nothing, nothing, 0.01)
    first, service = Notice("shop", About.LIVE, "shop is live", "", now(), 1), ServiceUrl(URL, "json", "notify")
    lanes.add(service, first)
    task = asyncio.create_task(lanes.keep_going())
    async with asyncio.timeout(20):
        while not courier.runs:  # noqa: ASYNC110 (a fake has no event)
            await asyncio.sleep(0.005)
        for id in range(2, MOST_WAITING + 4):
            lanes.add(service, replace(first, id=id))
        courier.gate.set()
        while len(courier.titles(URL)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert "2 notices before this could not be delivered" in courier.taken[URL][-1].body


async def test_a_digest_that_is_refused_is_sent_in_smaller_parts_until_only_what_is_refused_by_itself_is_lost(
    bench: Bench,
) -> None:
    """A service that answers 413 to many notices as one message takes each of them."""
    bench.courier.gate = asyncio.Event()
    bench.courier.answers[URL] = [Answer(True, 1, ""), *[fails("error=413.", is_refused=True)] * 2]
    versions = [f"v{number}" for number in range(1, 11)]
    await are_live(bench, *versions)
    async with bench.sending():
        await bench.until(lambda: bench.notices.lanes.waiting.total() == len(versions) and bool(bench.courier.runs))
        bench.courier.gate.set()
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert sorted(bench.titles()) == sorted(f"shop {version} is live" for version in versions)
    assert bench.failures() == []
