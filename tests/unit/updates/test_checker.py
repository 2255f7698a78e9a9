"""The update checker: what it offers, what it does not offer, and what it does in the background."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orchestrator import supervision
from orchestrator.apps.commands_under_way import CommandsUnderWay
from orchestrator.apps.context import AppContext, Limits
from orchestrator.apps.probe import HttpProber
from orchestrator.config import loader
from orchestrator.deploy.request import refuse_outrun
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, Slots, State, StepName
from orchestrator.domain.events import Cancelled, Event, EventKind, Failed, FailedOver, Live, Occurrence, Restored
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import MOST_KILLED
from orchestrator.errors import Refused, StepFailed
from orchestrator.events.stream import EventStream
from orchestrator.logs.kept import KeptLogs
from orchestrator.sources.base import SourceRelease
from orchestrator.sources.uploads import Uploads
from orchestrator.supervision import Supervisor
from orchestrator.updates.checker import UpdateChecker
from orchestrator.updates.remembered import DISMISSED_FOR_S
from orchestrator.updates.turns import AT_ONCE
from tests.support import virtual_time
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.journal import UnreliableJournal
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.source import FakeSource

APP = "shop"
DEADLINE_S = 20.0
ONCE = "background_check: {enabled: false}"


class Requests(Scheduler):
    """Takes requests and carries none out."""

    def __init__(self, journal: UnreliableJournal, events: EventStream) -> None:
        super().__init__(journal, events, lambda name: pytest.fail(f"{name} was deployed"))
        self.taken: list[tuple[str, str, str]] = []
        self.has: Deployment | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens once while a request waits for its turn."""

    def busy_with(self, app: str) -> Deployment | None:
        return self.has

    async def request(
        self,
        app: str,
        ref: str,
        by: str,
        idempotency_key: str | None = None,
        *,
        migrate: bool = False,
        force: bool = False,
        still: Callable[[], bool] = lambda: True,
    ) -> Deployment:
        self.lane_of(app).refuse_unrecovered(app)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        refuse_outrun(app, still)
        self.taken.append((app, ref, by))
        return Deployment("1", app, Kind.DEPLOY, State.QUEUED, by, FakeClock()(), ref)


@dataclass
class Bench:
    """A checker and everything around it."""

    journal: UnreliableJournal
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    source: FakeSource = field(default_factory=FakeSource)

    def __post_init__(self) -> None:
        self._ids = count()
        self.elapsed_s = 0.0
        self.events = EventStream(self.journal)
        self.scheduler = Requests(self.journal, self.events)
        self.supervisor = Supervisor()
        self.checker = UpdateChecker(
            self.journal, self.events, self.scheduler, self.supervisor, self.clock, lambda: self.elapsed_s
        )

    def app(self, update: str = "") -> AppContext:
        text = f"apps:\n  {APP}:\n    update: {{git: {{remote: /shop}}, {update}}}\n    route: {{host: shop.test}}\n"
        engine = FakeEngine()
        return AppContext(
            name=APP,
            config=loader.parse(text, "c.yaml").config.all_apps()[APP],
            engine=engine,
            proxy=FakeProxy(engine),
            source=self.source,
            journal=self.journal,
            work=self.folder,
            uploads=Uploads(self.folder / "uploads"),
            config_file=self.folder / "c.yaml",
            environment={},
            limits=Limits(0, 5, 5, 0),
            backups="backups",
            tools_image="tools",
            data_turn=asyncio.Lock(),
            commands=CommandsUnderWay(APP),
            prober=HttpProber(),
            kept_logs=KeptLogs(self.folder / "logs"),
            say=self.events.say,
            publish=self.events.publish,
        )

    def live(self, release: Release, *, standby: str = "") -> str:
        """A deployment of this release has the traffic; gives its id."""
        moment = self.clock()
        deployment = Deployment(
            f"d-{release.version}", APP, Kind.DEPLOY, State.LIVE, "me", moment,
            live_at=moment, ended_at=moment, release=release,
        )  # fmt: skip
        self.journal.add(deployment)
        self.journal.save_switch(APP, Slots(deployment.id, standby))
        return deployment.id

    def tried(self, release: Release, state: State, kind: Kind = Kind.DEPLOY, **more: Any) -> str:
        """A deployment of this release ended so; gives its id."""
        moment = self.clock()
        tried = Deployment(f"t{next(self._ids)}", APP, kind, state, "auto_update", moment, release=release, **more)
        self.journal.add(replace(tried, ended_at=moment, live_at=moment if state is State.LIVE else None))
        return tried.id

    @asynccontextmanager
    async def following(self, update: str) -> AsyncIterator[None]:
        """In the background, for as long as the block lasts."""
        self.checker.follow([self.app(update)])
        try:
            yield
        finally:
            # Not stopped: another block may follow.
            for name in self.supervisor.names():
                self.supervisor.drop(name)
            while self.supervisor._dropped:  # noqa: ASYNC110 (their end has no event)
                await asyncio.sleep(0)

    async def event(self, kind: str) -> Event:
        async with asyncio.timeout(DEADLINE_S):
            async for event in self.events.follow(after=0):
                if event.kind == kind:
                    return event
        raise AssertionError

    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    return Bench(journal, tmp_path)


async def test_a_newer_release_is_found_with_what_it_changes(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    newest = bench.source.publish()

    found = await bench.checker.check(bench.app())

    assert found is not None
    assert found.release == newest
    assert [change.revision for change in found.changelog.changes] == ["r3", "r2"]
    assert (found.origin, found.checked_at) == ("https://git.test/shop", bench.clock())
    assert bench.checker.known(APP) == found


async def test_what_is_live_is_no_update(bench: Bench) -> None:
    bench.live(bench.source.publish())

    assert await bench.checker.check(bench.app()) is None
    assert bench.checker.known(APP) is None
    assert bench.kinds() == []


async def test_a_release_that_somebody_went_back_from_is_not_offered_again(bench: Bench) -> None:
    first = bench.live(bench.source.publish())
    second = bench.live(bench.source.publish(), standby=first)
    bench.journal.save_switch(APP, Slots(first, second))

    assert await bench.checker.check(bench.app()) is None


async def test_an_update_that_became_live_is_not_known_any_more(bench: Bench) -> None:
    bench.live(bench.source.publish())
    update = bench.source.publish()
    await bench.checker.check(bench.app())

    bench.live(update)

    assert bench.checker.known(APP) is None


@pytest.mark.parametrize(
    ("live", "known"),
    [("r1", "r4"), ("r2", "r4"), ("r3", "r4"), ("r4", ""), ("r5", ""), ("of another branch", "")],
)
async def test_an_update_is_known_only_while_it_is_newer_than_what_is_live(bench: Bench, live: str, known: str) -> None:
    """One that was pushed after the last check was live, and an older one was offered for an hour."""
    bench.live(bench.source.publish())
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.source.publish()
    await bench.checker.check(bench.app())

    bench.live(Release(f"now {live}", live))

    update = bench.checker.known(APP)
    assert (update.release.source_revision if update else "") == known


@pytest.mark.parametrize(("live", "asked"), [("r2", 1), ("r3", 2)])
async def test_a_release_that_no_check_knew_makes_the_next_check_due_when_it_is_live(
    bench: Bench, live: str, asked: int
) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.events.add(bench.checker)
    async with bench.following("background_check: {interval: 1000}"):
        await bench.event(EventKind.UPDATE)
        bench.live(bench.source.publish() if live == "r3" else Release("v2", "r2"))
        await bench.events.publish(Live(1.0, "green"), APP)
        async with asyncio.timeout(DEADLINE_S):
            while bench.source.asked < asked:  # noqa: ASYNC110 (the source tells nobody)
                await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0)
    assert bench.source.asked == asked
    assert bench.checker.known(APP) is None


async def test_a_source_that_is_away_is_not_asked_again_and_again_by_a_release_that_no_check_knew(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.events.add(bench.checker)
    async with bench.following("background_check: {interval: 1000}"):
        await bench.event(EventKind.UPDATE)
        for _ in range(20):
            await asyncio.sleep(0)
        bench.source.is_away = True
        bench.live(Release("v3", "r3"))
        await bench.events.publish(Live(1.0, "green"), APP)
        await bench.event(EventKind.CHECK_FAILED)
        for _ in range(100):
            await asyncio.sleep(0)
    assert bench.source.asked == 2


async def test_an_app_that_was_never_deployed_is_offered_the_newest_without_changes(bench: Bench) -> None:
    newest = bench.source.publish()

    found = await bench.checker.check(bench.app())

    assert found is not None
    assert (found.release, found.changelog.changes) == (newest, ())


async def test_a_dismissed_update_is_not_shown_for_24_hours_and_then_again(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    found = await bench.checker.check(bench.app())

    dismissed = await bench.checker.dismiss(APP)
    at_once = bench.checker.known(APP)
    await bench.checker.check(bench.app())
    bench.elapsed_s = DISMISSED_FOR_S - 1
    bench.clock.go_on(timedelta(days=40))
    just_before = bench.checker.known(APP)
    bench.elapsed_s = DISMISSED_FOR_S
    bench.clock.go_on(-timedelta(days=80))

    assert dismissed == found
    assert (at_once, just_before) == (None, None)
    assert bench.checker.known(APP) is not None


async def test_an_update_after_the_dismissed_one_is_shown_at_once(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    await bench.checker.check(bench.app())
    await bench.checker.dismiss(APP)
    newer = bench.source.publish()

    found = await bench.checker.check(bench.app())

    assert found is not None
    assert bench.checker.known(APP) == found
    assert found.release == newer


async def test_where_nothing_is_known_there_is_nothing_to_dismiss(bench: Bench) -> None:
    assert await bench.checker.dismiss(APP) is None
    assert bench.kinds() == []


async def test_an_update_is_told_once_however_often_it_is_looked_for(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    for _ in range(3):
        await bench.checker.check(bench.app())
    bench.source.publish()
    await bench.checker.check(bench.app())

    told = [event.fields["version"] for event in bench.journal.events() if event.kind == "update"]

    assert told == ["v2", "v3"]


async def test_what_the_first_deployment_makes_live_is_not_told_as_an_update(bench: Bench) -> None:
    bench.source.publish()
    bench.scheduler.has = Deployment("first", APP, Kind.DEPLOY, State.RUNNING, "first start", FakeClock()())

    await bench.checker.check(bench.app())

    assert bench.kinds() == []


async def test_a_source_that_does_not_answer_is_told_to_who_asked_and_what_was_known_stays(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    found = await bench.checker.check(bench.app())
    bench.source.is_away = True

    with pytest.raises(StepFailed, match="does not answer"):
        await bench.checker.check(bench.app())

    assert bench.checker.known(APP) == found


async def test_a_full_disk_is_told_to_who_asked_and_fails_no_background_task(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counted as a defect of Changeover: an internal error for who asked, a background task that keeps failing."""
    bench.live(bench.source.publish())
    newest = bench.source.newest

    async def no_room() -> SourceRelease:
        raise OSError(errno.ENOSPC, "No space left on device", "/state/mirrors/shop")

    monkeypatch.setattr(bench.source, "newest", no_room)
    with pytest.raises(StepFailed, match="No space left on device: /state/mirrors/shop") as failed:
        await bench.checker.check(bench.app())
    assert "Free disk space" in failed.value.remedy

    async with bench.following("background_check: {interval: 1000}"):
        told = await bench.event(EventKind.CHECK_FAILED)
    assert "No space left" in str(told.fields["cause"])
    assert bench.supervisor.problems == {}
    monkeypatch.setattr(bench.source, "newest", newest)
    assert await bench.checker.check(bench.app()) is None


async def test_a_check_at_the_start_finds_an_update_by_itself(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()

    async with bench.following(ONCE):
        event = await bench.event("update")

    assert (event.app, event.fields["version"]) == (APP, "v2")
    assert bench.scheduler.taken == []


async def test_a_check_in_the_background_that_fails_is_an_event_with_cause_and_remedy(bench: Bench) -> None:
    bench.source.is_away = True

    async with bench.following(ONCE):
        event = await bench.event("check_failed")

    assert event.fields == {"cause": "https://git.test/shop does not answer.", "remedy": "Check update.git.remote."}


async def test_where_there_is_a_next_check_the_event_says_that_it_asks_again(bench: Bench) -> None:
    bench.source.is_away = True

    async with bench.following("background_check: {interval: 1000}"):
        event = await bench.event("check_failed")

    assert event.fields["remedy"] == "Check update.git.remote. The source is asked again at the next check."


async def test_with_auto_update_what_is_found_is_deployed(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()

    async with bench.following(f"auto_update: true, {ONCE}"):
        await bench.event("update")
        for _ in range(20):
            await asyncio.sleep(0)

    assert bench.scheduler.taken == [(APP, "r2", "auto_update")]


async def one_check(bench: Bench) -> None:
    """A check in the background, with auto_update, to its end."""
    before = bench.source.asked
    async with bench.following(f"auto_update: true, {ONCE}"):
        for _ in range(20):
            await asyncio.sleep(0)
    assert bench.source.asked == before + 1


BY_ITSELF = Failure(StepName.VERIFY, "It does not answer.")
OUTSIDE = Failure(StepName.PREPARE, "Docker does not answer.", outside=True)


@pytest.mark.parametrize(
    ("state", "more", "offered", "installed"),
    [
        (State.FAILED, {"failure": BY_ITSELF}, False, False),
        (State.FAILED, {}, False, False),
        (State.FAILED, {"failure": OUTSIDE, "interrupted_by": Interrupter.KILL}, True, True),
        (State.CANCELLED, {"interrupted_by": Interrupter.PERSON}, True, False),
        (State.CANCELLED, {"interrupted_by": None}, True, False),
        (State.CANCELLED, {"interrupted_by": Interrupter.STOP}, True, True),
        (State.SUPERSEDED, {}, True, True),
    ],
)
async def test_what_became_of_a_release_decides_whether_it_is_offered_and_whether_it_installs_itself(
    bench: Bench, state: State, more: dict[str, Any], offered: bool, installed: bool
) -> None:
    bench.live(bench.source.publish())
    newest = bench.source.publish()
    bench.tried(newest, state, **more)

    await one_check(bench)

    assert (bench.checker.known(APP) is not None) is offered
    assert bool(bench.scheduler.taken) is installed


async def test_a_release_that_was_tried_or_live_is_known_whatever_came_after_it(bench: Bench) -> None:
    live = bench.source.publish()
    bench.live(live)
    newest = bench.source.publish()
    bench.tried(newest, State.FAILED, failure=BY_ITSELF)
    for _ in range(60):
        bench.tried(live, State.LIVE, kind=Kind.ROLLBACK)

    await one_check(bench)

    assert bench.checker.known(APP) is None
    assert bench.scheduler.taken == []
    held_back = bench.checker.held_back(APP)
    assert held_back is not None
    assert held_back.says == "v2 failed at verify: It does not answer."
    assert "changeover deploy shop --ref r2" in held_back.remedy


async def test_a_release_is_held_back_for_why_it_failed_by_itself_and_not_for_what_came_between(bench: Bench) -> None:
    bench.live(bench.source.publish())
    newest = bench.source.publish()
    bench.tried(newest, State.FAILED, failure=BY_ITSELF)
    bench.tried(newest, State.FAILED, failure=Failure(StepName.PREPARE, "The disk is full.", outside=True))

    assert await bench.checker.check(bench.app()) is None

    held_back = bench.checker.held_back(APP)
    assert held_back is not None
    assert held_back.says == "v2 failed at verify: It does not answer."


async def test_what_was_replaced_by_a_newer_release_is_not_held_back(bench: Bench) -> None:
    """`status` advised to deploy it again, which is the way back."""
    bench.live(bench.source.publish())
    found = bench.source.publish()
    await bench.checker.check(bench.app())
    bench.live(found)

    bench.live(bench.source.publish())

    assert bench.checker.held_back(APP) is None
    await bench.checker.check(bench.app())
    assert bench.checker.held_back(APP) is None


@pytest.mark.parametrize(
    ("section", "kept"),
    [
        ("{git: {remote: /shop}, enabled: false, background_check: {interval: 5}}", True),
        ("{git: {remote: /another}, enabled: false}", False),
        ("{git: {remote: /shop, branch: next}, enabled: false}", False),
    ],
)
async def test_what_another_source_had_is_not_offered_any_more(bench: Bench, section: str, kept: bool) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.checker.follow([bench.app("enabled: false")])
    await bench.checker.check(bench.app())
    shop = bench.app()
    text = f"apps:\n  {APP}:\n    update: {section}\n    route: {{host: shop.test}}\n"

    bench.checker.follow([replace(shop, config=loader.parse(text, "c.yaml").config.apps[APP])])

    assert (bench.checker.known(APP) is not None) is kept


async def test_a_check_that_ends_after_its_source_was_replaced_offers_nothing_of_it(bench: Bench) -> None:
    slow = SlowSource()
    bench.live(slow.publish())
    slow.publish()
    asked = replace(bench.app("enabled: false"), source=slow)
    bench.checker.follow([asked])
    check = asyncio.create_task(bench.checker.check(asked))
    await _until(lambda: slow.asked == 1)
    git = asked.config.update.git.model_copy(update={"remote": "/another"})
    update = asked.config.update.model_copy(update={"git": git})

    bench.checker.follow([replace(asked, config=asked.config.model_copy(update={"update": update}))])
    slow.may_end.set()

    with pytest.raises(Refused, match="its source was changed meanwhile"):
        await check
    assert bench.checker.known(APP) is None
    assert "update" not in bench.kinds()


async def test_what_was_found_is_forgotten_with_the_app(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    app = bench.app("enabled: false")
    bench.checker.follow([app])
    bench.checker.follow([])
    await bench.checker.check(app)  # it was asked for before

    bench.checker.follow([app])

    assert bench.checker.known(APP) is None


async def test_a_release_that_is_older_than_the_live_one_is_neither_offered_nor_installed(bench: Bench) -> None:
    bench.source.publish()
    bench.live(bench.source.publish())
    bench.source.withdraw()

    await one_check(bench)

    assert bench.checker.known(APP) is None
    assert bench.scheduler.taken == []
    held_back = bench.checker.held_back(APP)
    assert held_back is not None
    assert "v1, the newest release of the source, is not newer than" in held_back.says


async def test_that_a_release_is_older_is_told_only_beside_the_release_that_it_was_compared_with(bench: Bench) -> None:
    """`status` said "1.5.0 is not newer than 2.0.0, which is live" while 1.5.0 was live, or an archive."""
    old, new = bench.source.publish(), bench.source.publish()
    compared = bench.live(new)
    bench.source.withdraw()
    app = bench.app("enabled: false")
    bench.checker.follow([app])
    await bench.checker.check(app)
    told = bench.checker.held_back(APP)
    assert told is not None
    assert not bench.checker.is_outdated(APP)

    bench.live(old)  # somebody deployed it by hand
    assert bench.checker.held_back(APP) is None
    assert not bench.checker.is_outdated(APP), "what the check found is live: that needs no other check"

    bench.live(Release("v9b", "archive-" + "c" * 40))
    assert bench.checker.held_back(APP) is None
    assert bench.checker.is_outdated(APP), "what is live now was never compared"

    bench.journal.save_switch(APP, Slots(compared, ""))  # a rollback
    assert bench.checker.held_back(APP) == told


@pytest.mark.parametrize("happened", [Live(1.0, "green"), Restored("b1", "", 0.1), FailedOver("v0", "it died", 0.1)])
async def test_a_release_that_an_older_one_was_not_compared_with_makes_the_next_check_due(
    bench: Bench, happened: Occurrence
) -> None:
    bench.source.publish()
    bench.live(bench.source.publish())
    bench.source.withdraw()
    bench.events.add(bench.checker)
    async with bench.following("background_check: {interval: 1000}"):
        async with asyncio.timeout(DEADLINE_S):
            while bench.checker.held_back(APP) is None:  # noqa: ASYNC110 (what is held back is no event)
                await asyncio.sleep(0)
        bench.live(Release("v9b", "archive-" + "c" * 40))
        await bench.events.publish(happened, APP)
        async with asyncio.timeout(DEADLINE_S):
            while bench.source.asked < 2:  # noqa: ASYNC110 (the source tells nobody)
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("state", "happened"), [(State.FAILED, Failed("verify", "It is not ready.")), (State.CANCELLED, Cancelled())]
)
async def test_what_was_tried_and_is_newer_than_what_the_check_found_makes_the_next_check_due(
    bench: Bench, state: State, happened: Occurrence
) -> None:
    """`status` offered the version before the one that had just failed, until the next check."""
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.events.add(bench.checker)
    async with bench.following("background_check: {interval: 1000}"), asyncio.timeout(DEADLINE_S):
        while bench.checker.known(APP) is None:  # noqa: ASYNC110 (what is known is no event)
            await asyncio.sleep(0)
        newest = bench.source.publish()
        tried = bench.tried(newest, state)
        await bench.events.publish(happened, APP, tried)
        while bench.source.asked < 2:  # noqa: ASYNC110 (the source tells nobody)
            await asyncio.sleep(0)
        await bench.checker.check(bench.app())
        known = bench.checker.known(APP)
        assert (known and known.release) == (None if state is State.FAILED else newest)
        asked = bench.source.asked
        await bench.events.publish(happened, APP, tried)
        assert not bench.checker.is_outdated(APP, newest.source_revision)
        await asyncio.sleep(0)
        assert bench.source.asked == asked, "it is known now"


class OtherKind(FakeSource):
    """A source that knows nothing of the order of revisions, such as a registry, or another kind than before."""

    async def is_older(self, revision: str, than: str) -> bool:
        return False


async def test_an_older_version_is_not_installed_although_the_source_does_not_know_the_order(bench: Bench) -> None:
    """As when a registry's tag moves back, or the source is of another kind than the live release's."""
    bench.source = OtherKind()
    bench.source.publish()
    bench.live(Release("v2.0", "sha256:" + "b" * 64))

    await one_check(bench)

    assert bench.checker.known(APP) is None
    assert bench.scheduler.taken == []
    held_back = bench.checker.held_back(APP)
    assert held_back is not None
    assert "v1, the newest release of the source, is not newer than" in held_back.says


async def test_what_failed_for_another_cause_is_tried_again_at_ever_fewer_checks(bench: Bench) -> None:
    bench.live(bench.source.publish())
    newest = bench.source.publish()
    tried_at = []
    for check in range(40):
        bench.scheduler.taken.clear()
        await one_check(bench)
        if bench.scheduler.taken:
            tried_at.append(check)
            bench.tried(newest, State.FAILED, failure=OUTSIDE)

    assert tried_at == [0, 2, 5, 10, 19, 36]


async def test_a_deployment_that_kills_the_orchestrator_each_time_is_not_tried_for_ever(bench: Bench) -> None:
    bench.live(bench.source.publish())
    newest = bench.source.publish()
    tries = 0
    for _ in range(40):
        bench.scheduler.taken.clear()
        await one_check(bench)
        if bench.scheduler.taken:
            tries += 1
            bench.tried(newest, State.FAILED, failure=OUTSIDE, interrupted_by=Interrupter.KILL)

    assert tries == MOST_KILLED


async def test_auto_update_does_not_supersede_what_was_asked_for(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()
    bench.scheduler.has = Deployment("asked", APP, Kind.DEPLOY, State.RUNNING, "me", FakeClock()())

    async with bench.following(f"auto_update: true, {ONCE}"):
        await bench.event("update")
        for _ in range(20):
            await asyncio.sleep(0)

    assert bench.scheduler.taken == []


async def test_auto_update_never_makes_the_first_deployment(bench: Bench) -> None:
    bench.source.publish()

    async with bench.following(f"auto_update: true, {ONCE}"):
        await bench.event("update")
        for _ in range(20):
            await asyncio.sleep(0)

    assert bench.scheduler.taken == []


@pytest.mark.parametrize("update", ["enabled: false", f"check_on_startup: false, {ONCE}"])
async def test_where_no_check_is_wanted_at_the_start_the_source_is_not_asked(bench: Bench, update: str) -> None:
    bench.source.publish()

    async with bench.following(update):
        await asyncio.sleep(0.05)

    assert bench.source.asked == 0


async def test_an_app_that_is_not_followed_any_more_is_not_asked_any_more(bench: Bench) -> None:
    bench.source.publish()
    bench.checker.follow([bench.app()])

    bench.checker.follow([])
    await asyncio.sleep(0.05)
    await bench.supervisor.stop()

    assert bench.source.asked == 0


class SlowSource(FakeSource):
    """Counts checks that begin and that end; each ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()
        self.ended = 0

    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked += 1
        await self.may_end.wait()
        self.ended += 1
        return await super().newest(ref)


async def test_a_changed_section_of_another_kind_neither_cancels_a_check_nor_begins_one(bench: Bench) -> None:
    slow = SlowSource()
    slow.publish()
    first = replace(bench.app(), source=slow)
    bench.checker.follow([first])
    await _until(lambda: slow.asked == 1)

    for port in range(9000, 9005):
        run = first.config.run.model_copy(update={"port": port})
        bench.checker.follow([replace(first, config=first.config.model_copy(update={"run": run}))])
        await asyncio.sleep(0.01)
    slow.may_end.set()
    await bench.event("update")
    await bench.supervisor.stop()

    assert slow.ended == 1
    assert slow.asked == 2  # FakeSource counts the one that ended once more


class FailingSource(SlowSource):
    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked += 1
        await self.may_end.wait()
        raise StepFailed("The remote does not answer.", "Wait.")


@pytest.mark.parametrize("kind", [SlowSource, FailingSource])
async def test_of_many_who_ask_at_once_few_ask_the_source_and_all_are_answered(
    bench: Bench, kind: type[SlowSource]
) -> None:
    """Each asked it, one after the other, and a deployment waited for its own turn behind all of them."""
    slow = kind()
    slow.publish()
    app = replace(bench.app(), source=slow)

    asking = [asyncio.create_task(bench.checker.check(app)) for _ in range(30)]
    await _until(lambda: slow.asked == 1)
    slow.may_end.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    later = await asyncio.gather(bench.checker.check(app), return_exceptions=True)

    answers = [str(one) if isinstance(one, StepFailed) else one and one.release for one in (*found, *later)]  # type: ignore[union-attr]
    assert len(set(answers)) == 1
    assert answers[0] is not None
    assert slow.asked in (3, 6), "two of them, and the later one; FakeSource counts what ended once more"


async def test_a_start_asks_a_few_sources_at_a_time(bench: Bench) -> None:
    slow = SlowSource()
    slow.publish()
    apps = [replace(bench.app(), name=f"app-{number}", source=slow) for number in range(45)]

    bench.checker.follow(apps)
    await asyncio.sleep(0.05)

    assert slow.asked == AT_ONCE
    await bench.supervisor.stop()


async def test_an_error_that_nobody_expected_ends_no_check_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_S", 0.01)
    bench.source.publish()
    newest = bench.source.newest
    errors = iter([OverflowError("date value out of range"), RecursionError("too deep")])

    async def fails_twice(ref: str = "") -> SourceRelease:
        if error := next(errors, None):
            raise error
        return await newest(ref)

    monkeypatch.setattr(bench.source, "newest", fails_twice)
    async with bench.following("background_check: {interval: 1000}"):
        await _until(lambda: bench.supervisor.problems != {})
        assert "date value out of range" in bench.supervisor.problems["update check of shop"].cause
        await bench.event("update")


def test_where_no_check_is_wanted_at_the_start_one_that_failed_is_tried_again_soon_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for a whole interval more, and its error was shown for a minute of it."""
    bench.source.publish()

    async def fails(_ref: str = "") -> SourceRelease:
        bench.source.asked += 1
        raise OverflowError("date value out of range")

    async def story() -> None:
        async with bench.following("check_on_startup: false, background_check: {interval: 1000}"):
            await asyncio.sleep(990)
            assert bench.source.asked == 0
            await asyncio.sleep(100)
            assert bench.source.asked >= supervision.KEEPS_FAILING
            assert bench.supervisor.failing() == ["update check of shop"]

    monkeypatch.setattr(bench.source, "newest", fails)
    virtual_time.run(story())


async def test_a_journal_that_is_away_for_a_moment_ends_no_check_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_S", 0.01)
    bench.source.publish()
    bench.journal.is_away = True
    async with bench.following("background_check: {interval: 1000}"):
        await _until(lambda: bench.supervisor.problems != {})
        bench.journal.is_away = False
        await bench.event("update")


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("version", "installs"),
    [("v1", False), ("v0", True), ("0123456789ab", False), ("v2", False), ("v1.9", True), ("v3", False)],
)
async def test_what_was_deployed_by_hand_is_replaced_by_itself_only_by_what_is_known_to_be_newer(
    bench: Bench, version: str, installs: bool
) -> None:
    bench.source.publish()
    newest = bench.source.publish()
    bench.live(Release(version, "archive:sha256:" + "0123456789ab" + "0" * 52))
    if version == "v1":
        bench.source.withdraw()  # the same version, of the source

    async with bench.following("auto_update: true"):
        while not bench.source.asked:  # noqa: ASYNC110 (a fake has no event)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    assert [ref for _, ref, _ in bench.scheduler.taken] == ([newest.source_revision] if installs else [])
    offered = bench.checker.known(APP)
    assert (offered is None) is (version == "v3")
