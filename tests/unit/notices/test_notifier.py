"""Who is told what and when: once, also over restarts; never in a deployment's way; and no storm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from apprise import NotifyType

from border.secrets import Secrets
from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.config.schema import Config
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, Slots, State, StepName
from orchestrator.domain.events import Failed, Live, Occurrence, Restored, Started, UpdateFound
from orchestrator.domain.notice import About, NoticeKind, Tone
from orchestrator.domain.outage_events import Outage, OutageOver
from orchestrator.domain.release import Release
from orchestrator.domain.update_events import CheckFailed, CheckSucceeded, FoundBy
from orchestrator.events.stream import EventStream
from orchestrator.notices.hourly_limit import MOST_OF_APP
from orchestrator.notices.lanes import MOST_WAITING
from orchestrator.notices.notifier import MOST_INCOMING, Notices
from orchestrator.settings import Settings
from orchestrator.supervision import Problem
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.courier import FakeCourier, fails
from tests.support.fakes.journal import UnreliableJournal

URL, OTHER = "json://one.test/hook", "json://two.test/hook"
TOLD = "notify: [{url_file: notify}]\n"
SHOP = "apps:\n  shop:\n    update: {git: {remote: /srv/shop}}\n    route: {host: shop.test}\n"
DOWN = Failed(StepName.BUILD, "The build failed.\nmore")


@cache
def parsed(configuration: str) -> Config:
    return loader.parse(configuration, "c.yaml").config


class Bench:
    """Notices with fake services, and a configuration that tests change."""

    def __init__(self, journal: UnreliableJournal, folder: Path, configuration: str = TOLD + SHOP) -> None:
        self.journal, self.folder, self.clock = journal, folder, FakeClock()
        self.configuration, self.secrets = configuration, Secrets()
        self.urls(URL)
        self.courier = FakeCourier()
        self._open()

    def _open(self) -> None:
        """The parts of a new process."""
        self.events = EventStream(self.journal)
        self.problems: dict[str, Problem] = {}
        settings = Settings(config=self.folder / "c.yaml", state=self.folder, public_url="http://panel.test/")
        self.notices = Notices(
            self.journal,
            self.events,
            lambda: parsed(self.configuration),
            settings,
            self.secrets,
            self.courier,
            first_pause_s=0.01,
            look_again_s=0.01,
            clock=self.clock,
            problems=self.problems,
        )
        self.events.add(self.notices)

    def restart(self) -> None:
        self._open()

    def urls(self, *urls: str, file: str = "notify") -> None:
        (self.folder / file).write_text("".join(f"{url}\n" for url in urls))

    def deployment(self, id: str = "d1", version: str = "v2", **more: Any) -> Deployment:
        one = Deployment(id, "shop", Kind.DEPLOY, State.RUNNING, "ci", now(), release=Release(version, "0" * 40))
        return self.journal.add(replace(one, **more))

    async def happens(self, happened: Occurrence, app: str = "shop", deployment: str = "") -> None:
        await self.events.publish(happened, app, deployment)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.notices.keep_sending())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():  # noqa: ASYNC110 (a fake has no event)
                await asyncio.sleep(0.005)

    async def all_sent(self) -> None:
        """Until nothing waits, in memory and in the journal."""
        async with self.sending():
            await asyncio.sleep(0)
            await self.until(lambda: not self.notices.waiting and not self.journal.waiting_notices())

    def titles(self, url: str = URL) -> list[str]:
        return self.courier.titles(url)

    def failures(self) -> list[str]:
        return [str(one.fields["cause"]) for one in self.journal.events() if one.kind == "notice_failed"]


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    return Bench(journal, tmp_path)


async def test_a_failure_says_which_version_at_which_step_why_and_where_to_look(bench: Bench) -> None:
    why = Failure(StepName.BUILD, "The build failed.")
    bench.deployment(state=State.FAILED, failure=why)
    await bench.happens(DOWN, deployment="d1")
    await bench.all_sent()

    (message,) = bench.courier.taken[URL]
    assert message.title == "shop v2: the deployment failed at build"
    assert message.body.splitlines() == [
        "The build failed.",
        "Deployment d1, requested by ci.",
        "More: changeover show d1",
        "Panel: http://panel.test",
    ]
    assert message.tone is Tone.FAILURE


ENDED = now()
LIVE = {"state": State.LIVE, "started_at": ENDED - timedelta(seconds=3.21), "live_at": ENDED}
STOPPED = Failure(StepName.BUILD, "The orchestrator was stopped during build.", "Request it again.")
WENT = Live(3.21, "green")
BACK = Restored("b1", "b2", 1.0)
BY, TOOK = "Deployment d1, requested by ci.", "It took 3.2 s."
AGAIN = "You are told when they succeed again, and not of each one that fails."


@pytest.mark.parametrize(
    ("happened", "more", "about", "tone", "title", "says"),
    [
        (WENT, LIVE, "live", "success", "shop v2 is live", [BY, TOOK]),
        (BACK, {**LIVE, "kind": Kind.RESTORE, "ref": "b1"}, "live", "success",
         "shop v2 is live, with restored data", ["Restore d1, requested by ci.", TOOK]),
        (Live(3.21, "green", recovered=True), {**LIVE, "kind": Kind.RESTORE, "ref": "b1"}, "live", "success",
         "shop v2 is live, with restored data", ["Restore d1, requested by ci.", TOOK]),
        (Live(3.21, "green", rollback=True), {**LIVE, "kind": Kind.ROLLBACK}, "rolled_back", "warning",
         "shop was rolled back to v2", ["Rollback d1, requested by ci."]),
        (BACK, {**LIVE, "kind": Kind.ROLLBACK, "ref": "b1"}, "rolled_back", "warning",
         "shop was rolled back to v2, with restored data", ["Rollback d1, requested by ci."]),
        (DOWN, {"state": State.FAILED}, "failed", "failure", "shop v2: the deployment failed at build",
         ["The build failed.", BY]),
        (Failed("build", STOPPED.cause),
         {"state": State.FAILED, "interrupted_by": Interrupter.STOP, "failure": STOPPED}, "failed", "failure",
         "shop v2: the deployment was interrupted at build", [STOPPED.cause, STOPPED.tip, BY]),
        (Failed("switch", STOPPED.cause),
         {"state": State.FAILED, "interrupted_by": Interrupter.KILL, "failure": STOPPED, "kind": Kind.ROLLBACK},
         "failed", "failure", "shop v2: the rollback was interrupted at switch",
         [STOPPED.cause, STOPPED.tip, "Rollback d1, requested by ci."]),
        (Failed("migrate", "The dump is damaged."), {"state": State.FAILED, "kind": Kind.RESTORE, "ref": "b1"},
         "failed", "failure", "shop v2: the restore failed at replacing the data (step migrate)",
         ["The dump is damaged.", "Restore d1, requested by ci."]),
        (Failed("migrate", "It ended with 1."), {"state": State.FAILED, "kind": Kind.ROLLBACK}, "failed", "failure",
         "shop v2: the rollback failed at migrate", ["It ended with 1.", "Rollback d1, requested by ci."]),
        (UpdateFound("v3", FoundBy.START), {}, "update", "info", "shop v3 is available", ["No release is live."]),
        (CheckFailed("No answer.", ""), {}, "check_failed", "failure", "shop: checks for updates fail",
         ["No answer.", AGAIN]),
        (CheckSucceeded(), {}, "check_succeeded", "success", "shop: checks for updates succeed again", []),
        (Outage("v2", "standby", "shop-blue exited with code 137", "v1"), {}, "outage", "failure", "shop v2 crashed",
         ["shop-blue exited with code 137", "v1 answers in its place."]),
        (Outage("v2", "crashing", "it has ended"), {}, "outage", "failure", "shop v2 crashes again and again",
         ["it has ended"]),
        (Outage("v2", "stopped", ""), {}, "outage", "failure", "shop v2 has stopped", ["It is not known why."]),
        (Outage("v2", "unhealthy", "it answered 500"), {}, "outage", "failure", "shop v2 is unhealthy",
         ["it answered 500"]),
        (Outage("v2", "unreached", "x"), {}, "outage", "failure", "shop v2 is not reached", ["x"]),
        (OutageOver("v2", 75.4), {}, "outage_over", "success", "shop is healthy again, with v2",
         ["The outage took 75 s."]),
        (OutageOver("v2", 0.0), {}, "outage_over", "success", "shop is healthy again, with v2",
         ["How long the outage took is not known."]),
        (OutageOver("v2", 3600), {}, "outage_over", "success", "shop is healthy again, with v2",
         ["The outage took 60 min."]),
    ],
)  # fmt: skip
async def test_each_thing_that_happens_has_its_words_and_its_colour_also_after_a_restart(
    bench: Bench,
    happened: Occurrence,
    more: dict[str, Any],  # Any: fields of Deployment
    about: About,
    tone: Tone,
    title: str,
    says: list[str],
) -> None:
    bench.deployment(**more)
    bench.courier.answers[URL] = [fails()] * 1000
    await bench.happens(happened, deployment="d1")
    async with bench.sending():
        await bench.until(lambda: bool(bench.journal.waiting_notices()))
    bench.courier.answers.clear()
    bench.restart()
    (waits,) = bench.journal.waiting_notices()
    await bench.all_sent()

    (message,) = bench.courier.taken[URL]
    lines = [line for line in message.body.splitlines() if not line.startswith(("More: ", "Panel: "))]
    assert (waits.about, message.tone, message.title, lines) == (about, tone, title, says)
    assert waits.kind == {"check_succeeded": "check_failed", "outage_over": "outage"}.get(about, about)


def test_everything_that_a_notice_is_about_has_a_tone_that_apprise_knows_and_a_kind() -> None:
    assert {one.tone for one in About} <= {NotifyType(one.value).value for one in Tone}
    assert {one.kind for one in About} == set(NoticeKind)


async def test_what_a_stop_ends_after_the_task_that_sends_is_told_by_the_next_start(bench: Bench) -> None:
    """The deployments are interrupted last: their notices were only in memory."""
    bench.deployment(state=State.FAILED, interrupted_by=Interrupter.STOP, failure=STOPPED)
    async with bench.sending():
        await asyncio.sleep(0)
    await bench.happens(Failed("build", STOPPED.cause), deployment="d1")
    await bench.notices.queue_the_rest()
    bench.restart()
    await bench.all_sent()

    assert bench.titles() == ["shop v2: the deployment was interrupted at build"]


@pytest.mark.parametrize(
    ("happened", "on", "title"),
    [
        (Live(3.21, "green"), "live", "shop v2 is live"),
        (DOWN, "failed", "shop v2: the deployment failed at build"),
        (UpdateFound("v3", FoundBy.START), "update", "shop v3 is available"),
        (CheckFailed("No answer.", ""), "check_failed", "shop: checks for updates fail"),
        (Outage("v2", "standby", "x", "v1"), "outage", "shop v2 crashed"),
        (OutageOver("v2", 75.4), "outage", "shop is healthy again, with v2"),
    ],
)
async def test_each_kind_is_told_to_those_who_asked_for_it_and_to_no_other(
    bench: Bench, happened: Occurrence, on: str, title: str
) -> None:
    bench.urls(OTHER, file="others")
    others = [kind for kind in NoticeKind if kind != on]
    bench.configuration = (
        f"notify: [{{url_file: notify, on: [{on}]}}, {{url_file: others, on: [{', '.join(others)}]}}]\n{SHOP}"
    )
    bench.deployment()
    await bench.happens(Started("ci", "deploy"), deployment="d1")
    await bench.happens(happened, deployment="d1")
    await bench.all_sent()

    assert bench.titles() == [title]
    assert bench.titles(OTHER) == []


async def test_services_of_an_app_are_told_of_this_app_alone_and_a_url_in_two_files_once(bench: Bench) -> None:
    bench.urls(URL, OTHER, file="of-shop")
    blog = "  blog:\n    update: {git: {remote: /srv/blog}}\n    route: {host: blog.test}\n"
    bench.configuration = f"{TOLD}{SHOP}    notify: [{{url_file: of-shop}}]\n{blog}"
    bench.deployment()
    bench.deployment("d2", "v9", app="blog")
    await bench.happens(Live(1.0, "green"), deployment="d1")
    await bench.happens(Live(1.0, "green"), "blog", "d2")
    await bench.all_sent()

    assert sorted(bench.titles()) == ["blog v9 is live", "shop v2 is live"]
    assert bench.titles(OTHER) == ["shop v2 is live"]


async def test_a_service_that_fails_is_tried_again_and_keeps_no_other_waiting(bench: Bench) -> None:
    bench.urls(URL, OTHER)
    bench.courier.answers[URL] = [fails()] * 3
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: bool(bench.titles(OTHER)))
        assert bench.titles() == []
        await bench.until(lambda: bool(bench.titles()))

    assert bench.titles(OTHER) == ["shop v2 is live"]
    assert bench.failures() == ["json (notify, line 1) does not take notices: error=500."]
    assert bench.notices.problems() == []


async def test_what_is_refused_is_not_tried_again_is_counted_and_told_with_the_next_one(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails("error=401.", is_refused=True)]
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    await bench.all_sent()
    ((says, _since),) = bench.notices.problems()
    await bench.happens(DOWN, deployment="d1")
    await bench.all_sent()

    assert "error=401" in says
    assert "1 notice could not be delivered" in says
    (message,) = bench.courier.taken[URL]
    assert message.body.endswith("1 notice before this could not be delivered: changeover events")
    assert bench.notices.problems() == []


async def test_what_waits_at_a_stop_is_sent_by_the_next_start_to_those_who_do_not_have_it(bench: Bench) -> None:
    bench.urls(URL, OTHER)
    bench.courier.answers[URL] = [fails()] * 1000
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: any(one.taken for one in bench.journal.waiting_notices()))
    bench.courier.answers.clear()

    bench.restart()
    await bench.all_sent()

    assert bench.titles() == bench.titles(OTHER) == ["shop v2 is live"]


async def test_what_is_a_day_old_at_a_start_is_not_told(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()] * 1000
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: bool(bench.journal.waiting_notices()))
    bench.courier.answers.clear()
    bench.clock.go_on(timedelta(hours=25))

    bench.restart()
    await bench.all_sent()

    assert bench.titles() == []


async def test_a_version_is_told_once_also_over_restarts(bench: Bench) -> None:
    for _ in range(3):
        await bench.happens(UpdateFound("v3", FoundBy.START))
        await bench.all_sent()
        bench.restart()
    await bench.happens(UpdateFound("v4", FoundBy.START))
    await bench.all_sent()

    assert bench.titles() == ["shop v3 is available", "shop v4 is available"]


async def test_a_version_that_nobody_could_be_told_of_is_told_when_somebody_can(bench: Bench) -> None:
    bench.configuration = SHOP
    await bench.happens(UpdateFound("v3", FoundBy.START))
    await bench.all_sent()
    bench.configuration = TOLD + SHOP
    await bench.happens(UpdateFound("v3", FoundBy.START))
    await bench.all_sent()

    assert bench.titles() == ["shop v3 is available"]


async def test_checks_that_fail_are_told_once_and_once_when_they_succeed_again_also_over_restarts(
    bench: Bench,
) -> None:
    for _ in range(3):
        await bench.happens(CheckFailed("No answer.", "Wait."))
        await bench.all_sent()
        bench.restart()
    bench.journal.check_succeeded("shop")
    await bench.happens(CheckSucceeded())
    await bench.happens(CheckFailed("No answer.", "Wait."))
    await bench.all_sent()

    fail, succeed = "shop: checks for updates fail", "shop: checks for updates succeed again"
    assert bench.titles() == [fail, succeed, fail]


async def test_many_at_once_are_one_message_and_one_run(bench: Bench) -> None:
    names = [f"app{at}" for at in range(12)]
    bench.configuration = (
        TOLD
        + "apps:\n"
        + "".join(
            f"  {name}:\n    update: {{git: {{remote: /srv/x}}}}\n    route: {{host: {name}.test}}\n" for name in names
        )
    )
    for name in names:
        bench.deployment(name, app=name)
        await bench.happens(DOWN, name, name)
    await bench.all_sent()

    # The first one may leave before the others come.
    assert sum(len(run) for run in bench.courier.runs) <= 2
    said = "\n".join(f"{one.title}\n{one.body}" for one in bench.courier.taken[URL])
    assert all(f"{name} v2: the deployment failed at build" in said for name in names)


async def test_one_app_cannot_flood_and_the_next_notice_says_how_many_were_left_out(bench: Bench) -> None:
    bench.deployment()
    for _ in range(MOST_OF_APP + 5):
        await bench.happens(DOWN, deployment="d1")
    await bench.all_sent()
    bench.clock.go_on(timedelta(hours=2))
    await bench.happens(Live(1.0, "green"), deployment="d1")
    await bench.all_sent()

    *before, last = bench.titles()
    assert sum(int(one.partition(" notices: ")[0]) if " notices: " in one else 1 for one in before) == MOST_OF_APP
    assert last == "shop v2 is live"
    assert "5 notices of shop left out: more than 30 within an hour." in bench.courier.taken[URL][-1].body


async def test_a_dead_service_has_a_limited_queue(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()] * 100_000
    bench.deployment()
    async with bench.sending():
        for _ in range(5):
            for _ in range(MOST_OF_APP):
                await bench.happens(DOWN, deployment="d1")
            await bench.until(lambda: not bench.notices._incoming)
            bench.clock.go_on(timedelta(hours=1, minutes=1))  # none is older than six hours at the end
        await bench.until(lambda: len(bench.journal.waiting_notices()) == MOST_WAITING)

        ((says, _since),) = bench.notices.problems()
        assert f"{5 * MOST_OF_APP - MOST_WAITING} notices could not be delivered" in says


async def test_events_do_not_wait_for_notices_whatever_the_journal_and_services_do(bench: Bench) -> None:
    """Nobody makes notices of them: they are counted beyond a limit, and publishing goes on."""
    bench.deployment()
    for _ in range(MOST_INCOMING + 3):
        bench.notices.notify(DOWN, "shop", "d1")

    assert bench.notices.lanes.total.total() == 3
    assert bench.notices.waiting.total() == MOST_INCOMING


async def test_a_file_that_cannot_be_used_is_told_by_an_event_once_without_what_is_in_it(bench: Bench) -> None:
    bench.urls("secret-token-without-a-scheme", "syslog://", URL)
    bench.deployment()
    for _ in range(2):
        await bench.happens(Live(1.0, "green"), deployment="d1")
        await bench.all_sent()
    (bench.folder / "notify").unlink()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: len(bench.failures()) == 3)

    assert len(bench.titles()) == 2
    one, two, missing = bench.failures()
    assert one.startswith("Notices are not sent: notify, line 1: it is no URL of a service")
    assert "syslog:// is not a service outside of this machine" in two
    assert "No such file" in missing
    assert "secret-token" not in "".join(bench.failures())


async def test_a_url_that_was_corrected_gets_what_waited_for_the_wrong_one(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()] * 1000
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: bool(bench.failures()))
        bench.urls(OTHER)
        await bench.until(lambda: bool(bench.titles(OTHER)))
        await bench.until(lambda: not bench.journal.waiting_notices())

    assert bench.titles() == []
    assert bench.titles(OTHER) == ["shop v2 is live"]
    assert bench.notices.problems() == []


async def test_while_the_file_is_away_what_waits_is_neither_sent_nor_lost(bench: Bench) -> None:
    bench.courier.answers[URL] = [fails()]
    bench.deployment()
    await bench.happens(Live(1.0, "green"), deployment="d1")
    async with bench.sending():
        await bench.until(lambda: bool(bench.failures()))
        (bench.folder / "notify").unlink()
        runs = len(bench.courier.runs)
        await asyncio.sleep(0.3)
        assert bench.titles() == []
        assert len(bench.courier.runs) <= runs + 1
        bench.urls(URL)
        await bench.until(lambda: bool(bench.titles()))


async def test_a_deployment_that_the_journal_does_not_know_ends_nothing(bench: Bench) -> None:
    await bench.happens(DOWN, deployment="unknown")
    bench.deployment()
    await bench.happens(DOWN, deployment="d1")
    await bench.all_sent()

    assert bench.titles() == ["shop v2: the deployment failed at build"]


async def test_the_live_version_is_named_beside_an_update(bench: Bench) -> None:
    bench.journal.save_switch("shop", Slots(bench.deployment(state=State.LIVE).id, ""))
    await bench.happens(UpdateFound("v3", FoundBy.START))
    await bench.all_sent()

    assert bench.courier.taken[URL][0].body.startswith("v2 is live.")
