"""What must not be lost: by files that cannot be read, services that refuse, a journal that is away, and defects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.clock import now
from orchestrator.config.notify_urls import ServiceUrl
from orchestrator.domain.events import Live
from orchestrator.domain.notice import About, Notice
from orchestrator.domain.update_events import CheckFailed
from orchestrator.notices.courier import Answer, Parcel, Rounds
from orchestrator.notices.lanes import MOST_WAITING, Fate, Lanes
from orchestrator.notices.trials import Trials
from orchestrator.supervision import Problem
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
        await bench.until(lambda: bool(bench.failures() and bench.notices.waiting))
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
    async with bench.sending():
        await bench.until(lambda: bench.notices.lanes.waiting.total() == 2)
        with bench.journal.away():
            bench.configuration = SHOP
            await bench.until(lambda: bool(bench.problems))
        bench.configuration = TOLD + SHOP
        bench.courier.answers.clear()
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert sorted(bench.titles()) == ["shop v1 is live", "shop v2 is live"]


async def test_that_checks_fail_is_told_although_the_journal_was_away_when_it_was_to_be_queued(bench: Bench) -> None:
    await bench.happens(CheckFailed("No answer.", "Wait."))
    async with bench.sending():
        with bench.journal.away():
            await bench.until(lambda: bool(bench.problems))
        await bench.until(lambda: bool(bench.titles()))

    assert bench.titles() == ["shop: checks for updates fail"]


async def test_checks_of_a_removed_app_do_not_fail_any_more(bench: Bench) -> None:
    bench.journal.check_failed("gone")
    bench.journal.check_failed("shop")
    async with bench.sending():
        await bench.until(lambda: not bench.journal.checks_fail("gone"))

    assert bench.journal.checks_fail("shop")


async def test_a_check_that_fails_after_its_app_is_removed_is_neither_told_nor_counted(bench: Bench) -> None:
    await bench.happens(CheckFailed("No answer.", ""), "gone")
    await are_live(bench, "v1")
    await bench.all_sent()

    assert bench.titles() == ["shop v1 is live"]
    assert not bench.journal.checks_fail("gone")


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
    lanes = Lanes(Rounds(courier), yes, nothing, nothing, nothing, nothing, 0.01)
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


def a_defect(bench: Bench, url: str, error: Exception) -> None:
    """From now on, whatever is to be sent to this URL meets a defect."""
    deliver = bench.courier.deliver

    async def with_defect(parcels: Sequence[Parcel]) -> list[Answer]:
        if any(one.url == url for one in parcels):
            raise error
        return await deliver(parcels)

    bench.courier.deliver = with_defect  # type: ignore[method-assign]


async def test_a_defect_at_one_service_ends_no_send_to_another_which_is_told_once() -> None:
    async def is_configured(service: ServiceUrl) -> bool:
        if service.url == OTHER:
            raise ValueError("a defect")
        return True

    async def nothing(*_said: object) -> None:
        return None

    courier, problems = FakeCourier(), dict[str, Problem]()
    courier.gate = asyncio.Event()
    lanes = Lanes(Rounds(courier), is_configured, nothing, nothing, nothing, nothing, 0.01, problems=problems)
    task = asyncio.create_task(lanes.keep_going())
    notice = Notice("shop", About.LIVE, "shop is live", "", now(), 1)
    lanes.add(ServiceUrl(URL, "json", "notify"), notice)
    async with asyncio.timeout(20):
        while not courier.runs:  # noqa: ASYNC110 (a fake has no event)
            await asyncio.sleep(0.005)
        lanes.add(ServiceUrl(OTHER, "json", "other"), notice)
        while not problems:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        courier.gate.set()
        while not courier.titles(URL):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert courier.runs == [[URL]]
    assert lanes.waiting.total() == 1


async def test_what_a_defect_keeps_from_being_sent_is_sent_when_it_is_gone_and_given_up_after_six_hours(
    bench: Bench,
) -> None:
    working = bench.courier.deliver
    a_defect(bench, URL, ValueError("a defect"))
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: bool(bench.problems))
        bench.clock.go_on(timedelta(hours=7))
        await are_live(bench, "v2")
        await bench.until(lambda: [one.title for one in bench.journal.waiting_notices()] == ["shop v2 is live"])
        bench.courier.deliver = working  # type: ignore[method-assign]
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert bench.titles() == ["shop v2 is live"]


async def test_a_journal_that_is_away_ends_no_send_and_lets_nothing_be_told_twice(bench: Bench) -> None:
    bench.courier.gate = asyncio.Event()
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: bench.courier.runs == [[URL]])
        with bench.journal.away():
            bench.notices.notify(CheckFailed("No answer.", ""), "shop", "")
            await bench.until(lambda: bool(bench.problems))
            bench.courier.gate.set()
            await bench.until(lambda: bool(bench.titles()))
        await bench.until(lambda: len(bench.titles()) == 2 and not bench.journal.waiting_notices())

    assert bench.titles() == ["shop v1 is live", "shop: checks for updates fail"]


@pytest.mark.parametrize("services", [(URL,), (URL, OTHER)])
async def test_what_was_told_while_the_journal_was_away_is_recorded_when_it_is_back(
    bench: Bench, services: tuple[str, ...]
) -> None:
    bench.urls(*services)
    bench.courier.answers[OTHER] = [fails()] * 1000
    bench.courier.gate = asyncio.Event()
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: bool(bench.courier.runs))
        with bench.journal.away():
            bench.courier.gate.set()
            await bench.until(lambda: bool(bench.titles() and bench.problems))
        await bench.until(lambda: all(one.taken for one in bench.journal.waiting_notices()))
    bench.courier.answers.clear()
    bench.restart()
    await bench.all_sent()

    assert [bench.titles(one) for one in services] == [["shop v1 is live"]] * len(services)


@pytest.mark.parametrize("is_back_first", [False, True])
async def test_a_service_that_is_removed_while_the_journal_is_away_keeps_no_other_notice_waiting(
    bench: Bench, is_back_first: bool
) -> None:
    """Another service has the notice, and the journal does not know it yet."""
    bench.urls(URL, OTHER)
    bench.courier.answers[OTHER] = [fails()] * 1000
    bench.courier.gate = asyncio.Event()
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: bool(bench.courier.runs))
        with bench.journal.away():
            bench.courier.gate.set()
            await bench.until(lambda: bool(bench.titles() and bench.problems))
            if not is_back_first:
                bench.urls(URL)
                await bench.until(lambda: len(bench.problems) > 1)
        bench.urls(URL)
        await are_live(bench, "v2")
        await bench.until(lambda: len(bench.titles()) > 1 and not bench.journal.waiting_notices())

    assert bench.titles() == ["shop v1 is live", "shop v2 is live"]


async def test_a_service_that_has_a_notice_does_not_get_it_again_at_another_line_of_the_file(bench: Bench) -> None:
    bench.urls(URL, OTHER)
    bench.courier.answers[URL] = [fails()] * 1000
    async with bench.sending():
        await are_live(bench, "v1")
        await bench.until(lambda: bool(bench.titles(OTHER)))
        bench.urls(OTHER)
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert bench.titles(OTHER) == ["shop v1 is live"]


async def test_a_waiting_notice_that_is_a_defect_keeps_no_other_waiting(bench: Bench) -> None:
    """Such as one of a kind that only a later Changeover knows, from before it was put back."""
    bench.journal.queue_notice(Notice("shop", "later", "?", "", now()))  # type: ignore[arg-type]
    bench.journal.queue_notice(Notice("shop", About.LIVE, "shop v1 is live", "", now()))
    await are_live(bench, "v2")
    async with bench.sending():
        await bench.until(lambda: sorted(bench.titles()) == ["shop v1 is live", "shop v2 is live"])


async def test_since_when_a_service_fails_does_not_begin_anew_at_a_restart(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails("error=401.", is_refused=True)] * 3
    moments = set()
    for version in ("v1", "v2", "v3"):
        await are_live(bench, version)
        await bench.all_sent()
        moments.add(bench.notices.problems()[0][1])
        bench.restart()
        bench.clock.go_on(timedelta(minutes=10))
    await are_live(bench, "v4")
    await bench.all_sent()

    began, *later = (one for one in bench.journal.events() if one.kind in ("notice_failed", "notices_taken"))
    assert [one.kind for one in later] == ["notices_taken"]
    assert len(moments) == 2  # the first is by the clock, the others are by the event
    assert moments > {began.at}
    bench.restart()
    bench.courier.answers[URL] = [fails("error=401.", is_refused=True)]
    await are_live(bench, "v5")
    await bench.all_sent()
    assert bench.notices.problems()[0][1] not in moments
