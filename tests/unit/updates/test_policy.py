"""When sources are asked, what is skipped, dismissed or too young, and when an update installs itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from border.secrets import Secrets
from orchestrator.apps.context import AppContext
from orchestrator.config import loader
from orchestrator.domain.deployment import Failure, State, StepName
from orchestrator.domain.update_events import FoundBy
from orchestrator.errors import JournalError, Refused, StepFailed
from orchestrator.notices.notifier import Notices
from orchestrator.notices.wanted import is_wanted
from orchestrator.settings import Settings
from orchestrator.sources.base import SourceRelease, SourceVersion
from orchestrator.updates import checker as checker_module
from orchestrator.updates import due
from orchestrator.updates.asked_host import asked_host
from orchestrator.updates.remembered import DISMISSED_FOR_S, MOST_SKIPPED
from orchestrator.updates.turns import ASKED_OF_ONE_HOST, SLOW_S
from tests.support import virtual_time
from tests.support.fakes.courier import FakeCourier
from tests.support.fakes.journal import UnreliableJournal
from tests.support.fakes.source import FakeSource
from tests.unit.updates.test_checker import APP, Bench
from tests.unit.updates.test_checker import _until as until

INTERVAL_S = 1000.0


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    return Bench(journal, tmp_path)


def again(bench: Bench) -> Bench:
    """After a restart: with the same journal, source and clock."""
    new = Bench(bench.journal, bench.folder, bench.clock, bench.source)
    new.elapsed_s = 0.5
    return new


def with_update(bench: Bench) -> None:
    bench.live(bench.source.publish())
    bench.source.publish()


def test_the_bench_has_no_clock_of_the_machine(bench: Bench) -> None:
    assert bench.clock() == bench.clock()


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("on_startup", [True, False])
@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize("on_update", [True, False])
def test_each_combination_of_the_keys_asks_and_tells_as_often_as_it_says(
    bench: Bench, enabled: bool, on_startup: bool, background: bool, notify: bool, on_update: bool
) -> None:
    """Both of the checks switched off: it is asked once all the same. `notify` and `notify_on_update` change nothing of
    that; people are told of what was found at the start by the latter alone, in the background by both."""
    with_update(bench)
    keys = (
        f"enabled: {_yaml(enabled)}, check_on_startup: {_yaml(on_startup)}, notify_on_update: {_yaml(on_update)}, "
        f"background_check: {{enabled: {_yaml(background)}, interval: {INTERVAL_S:g}, notify: {_yaml(notify)}}}"
    )
    text = f"notify: [{{url_file: notify}}]\napps:\n  {APP}:\n    update: {{git: {{remote: /shop}}, {keys}}}\n"
    config = loader.parse(f"{text}    route: {{host: shop.test}}\n", "c.yaml").config
    (bench.folder / "notify").write_text("json://chat.test\n")
    courier = FakeCourier()
    settings = Settings(config=bench.folder / "c.yaml", state=bench.folder)
    notices = Notices(bench.journal, bench.events, lambda: config, settings, Secrets(), courier, clock=bench.clock)
    bench.events.add(notices)
    asked: list[int] = []

    async def story() -> None:
        sending = asyncio.create_task(notices.keep_sending())
        async with bench.following(keys):
            for moment in (INTERVAL_S / 2, INTERVAL_S * 0.7, INTERVAL_S * 2.2):
                await asyncio.sleep(moment)
                asked.append(bench.source.asked)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    virtual_time.run(story())
    at_the_start, after_one, after_three = asked

    assert at_the_start == (1 if enabled and on_startup else 0)
    assert after_one == (0 if not enabled else 1 + (on_startup and background))
    assert (after_three > after_one) is (enabled and background)
    assert after_three >= (1 if enabled else 0)
    found_by = [one.fields["found_by"] for one in bench.journal.events() if one.kind == "update"]
    assert found_by == ([] if not enabled else ["start"] if on_startup else ["background"])
    is_told = enabled and on_update and (on_startup or notify)
    assert courier.titles("json://chat.test") == (["shop v2 is available"] if is_told else [])
    assert (bench.journal.versions(APP)["v2"].told_at is not None if enabled else False) is is_told


def _yaml(value: bool) -> str:
    return str(value).lower()


@pytest.mark.parametrize(
    ("on_update", "notify", "told"), [(True, True, 1), (True, False, 1), (False, True, 0), (False, False, 0)]
)
def test_what_somebody_asked_for_is_told_as_what_was_found_at_a_start(on_update: bool, notify: bool, told: int) -> None:
    keys = f"notify_on_update: {_yaml(on_update)}, background_check: {{notify: {_yaml(notify)}}}"
    text = f"apps:\n  {APP}:\n    update: {{git: {{remote: /shop}}, {keys}}}\n    route: {{host: shop.test}}\n"

    assert is_wanted(loader.parse(text, "c.yaml").config.apps[APP].update, FoundBy.ASKED) is bool(told)


async def test_a_check_that_succeeds_after_one_that_failed_is_an_event_and_no_other_is(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    bench.journal.check_failed(APP)
    await bench.checker.check(bench.app())
    await bench.checker.check(bench.app())

    assert bench.kinds().count("check_succeeded") == 1


async def test_that_checks_succeed_again_is_told_by_the_next_one_if_the_journal_is_away_at_first(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    bench.journal.check_failed(APP)
    with bench.journal.away(), pytest.raises(JournalError):
        await bench.checker.check(bench.app())
    await bench.checker.check(bench.app())

    assert bench.kinds().count("check_succeeded") == 1


@pytest.mark.parametrize(("changed", "succeeds"), [(True, False), (True, True), (False, False)])
async def test_that_another_source_fails_is_told_although_the_one_before_failed_too(
    bench: Bench, changed: bool, succeeds: bool
) -> None:
    with_update(bench)
    bench.checker.follow([bench.app("enabled: false")])
    bench.journal.check_failed(APP)
    text = f"apps: {{{APP}: {{update: {{git: {{remote: /other}}, enabled: false}}, route: {{host: shop.test}}}}}}"
    other = bench.app("enabled: false, minimum_age: 60")
    if changed:
        other = replace(other, config=loader.parse(text, "c.yaml").config.apps[APP])
    bench.checker.follow([other])
    bench.source.is_away = not succeeds

    with suppress(StepFailed):
        await bench.checker.check(other)

    assert bench.journal.checks_fail(APP) is not changed  # what is counted no more is told by the next event
    assert bench.kinds().count("check_succeeded") == succeeds


@pytest.mark.parametrize("chance", [0.0, 0.4, 1.0])
def test_an_interval_is_never_shorter_than_configured_and_at_most_a_tenth_longer(bench: Bench, chance: float) -> None:
    pause = due.next_check_in(bench.app("background_check: {interval: 100}").config.update, chance)

    assert pause == pytest.approx(100 + 10 * chance)


async def test_a_dismissed_update_stays_dismissed_over_a_restart_for_what_is_left_of_the_24_hours(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    await bench.checker.dismiss(APP)
    bench.clock.go_on(timedelta(hours=20))

    after = again(bench)
    await after.checker.check(after.app())
    known = after.checker.known(APP)
    after.elapsed_s += 4 * 3600 + 1

    assert known is None
    assert after.checker.known(APP) is not None


async def test_a_clock_that_was_set_back_dismisses_for_no_more_than_24_hours(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    await bench.checker.dismiss(APP)
    bench.clock.go_on(-timedelta(days=400))

    after = again(bench)
    await after.checker.check(after.app())
    assert after.checker.known(APP) is None
    after.elapsed_s += DISMISSED_FOR_S

    assert after.checker.known(APP) is not None


async def test_a_dismissed_update_is_not_told_again_after_a_restart(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    await bench.checker.dismiss(APP)

    after = again(bench)
    await after.checker.check(after.app())

    assert after.kinds().count("update") == 1


@pytest.mark.parametrize("named", ["v2", "2"])
async def test_a_skipped_version_is_never_offered_nor_installed_also_after_a_restart(bench: Bench, named: str) -> None:
    with_update(bench)
    await bench.checker.skip(APP, named, "anna")

    after = again(bench)
    assert await after.checker.check(after.app()) is None
    async with after.following("auto_update: true, background_check: {enabled: false}"):
        await asyncio.sleep(0.05)

    assert after.checker.known(APP) is None
    assert after.scheduler.taken == []
    assert "update" not in after.kinds()
    held_back = after.checker.held_back(APP)
    assert held_back is not None
    assert held_back.says.startswith("v2 is skipped since ")
    assert "by anna" in held_back.says
    assert f"changeover skip shop {named} --undo" in held_back.remedy
    assert "changeover deploy shop --ref r2" in held_back.remedy


async def test_a_version_after_the_skipped_one_is_offered_and_so_is_the_skipped_one_when_that_is_undone(
    bench: Bench,
) -> None:
    with_update(bench)
    await bench.checker.skip(APP, "v2", "anna")
    await bench.checker.skip(APP, "v2", "bert")  # nothing more happens
    await bench.checker.skip(APP, "v2", "anna", undo=True)
    undone = await bench.checker.check(bench.app())
    await bench.checker.skip(APP, "v2", "anna")
    bench.source.publish()
    newer = await bench.checker.check(bench.app())

    assert undone is not None
    assert undone.release.version == "v2"
    assert newer is not None
    assert newer.release.version == "v3"


async def test_what_is_not_skipped_cannot_be_undone_and_nobody_skips_without_end(bench: Bench) -> None:
    with pytest.raises(Refused, match="v9 of shop is not skipped"):
        await bench.checker.skip(APP, "v9", "anna", undo=True)
    for number in range(MOST_SKIPPED):
        await bench.checker.remembered.skip(APP, f"v{number}", "anna")
    with pytest.raises(Refused, match="500 versions of shop are already"):
        await bench.checker.skip(APP, "one more", "anna")


async def test_a_version_that_is_too_young_is_offered_and_told_when_it_is_old_enough(bench: Bench) -> None:
    with_update(bench)  # v2 is two hours younger than FIRST
    bench.clock.go_on(datetime(2026, 1, 1, 2, 0, tzinfo=UTC) - bench.clock())
    app = bench.app("minimum_age: 3600")
    bench.checker.follow([replace(app, config=bench.app("minimum_age: 3600, enabled: false").config)])

    assert await bench.checker.check(app) is None
    held_back = bench.checker.held_back(APP)
    young = bench.checker.known(APP)
    bench.clock.go_on(timedelta(seconds=3600))

    assert held_back is not None
    assert held_back.says == (
        "v2 was released at 2026-01-01 02:00 UTC, and is too young (update.minimum_age): it is offered from "
        "2026-01-01 03:00 UTC on."
    )
    assert young is None
    assert bench.checker.known(APP) is not None
    assert bench.checker.held_back(APP) is None


async def test_where_the_newest_is_too_young_the_newest_that_is_old_enough_is_offered(bench: Bench) -> None:
    """Where releases come every day, a minimum age of two days would never let one through."""
    bench.live(bench.source.publish())
    for _ in range(4):
        bench.source.publish()
    bench.clock.go_on(datetime(2026, 1, 1, 5, 10, tzinfo=UTC) - bench.clock())

    found = await bench.checker.check(bench.app("minimum_age: 7200"))

    assert found is not None
    assert found.release.version == "v3"


class Undated(FakeSource):
    """Does not say when its releases were made, or says a date that has not come yet."""

    def __init__(self, released_at: datetime | None) -> None:
        super().__init__()
        self._released_at = released_at

    async def newest(self, ref: str = "") -> SourceRelease:
        return replace(await super().newest(ref), released_at=self._released_at)


@pytest.mark.parametrize("released_at", [None, datetime(2099, 1, 1, tzinfo=UTC)])
async def test_without_a_date_the_age_counts_from_the_first_check_that_found_it_over_restarts(
    bench: Bench, released_at: datetime | None
) -> None:
    bench.source = Undated(released_at)
    with_update(bench)
    assert await bench.checker.check(bench.app("minimum_age: 3600")) is None
    bench.clock.go_on(timedelta(seconds=3599))
    after = again(bench)
    assert await after.checker.check(after.app("minimum_age: 3600")) is None
    bench.clock.go_on(timedelta(seconds=1))

    assert await after.checker.check(after.app("minimum_age: 3600")) is not None


async def test_a_version_seen_while_the_clock_was_years_ahead_is_not_too_young_for_years(bench: Bench) -> None:
    bench.source = Undated(None)
    with_update(bench)
    bench.clock.go_on(timedelta(days=3650))
    assert await bench.checker.check(bench.app("minimum_age: 3600")) is None
    bench.clock.go_on(timedelta(days=-3650))
    assert await bench.checker.check(bench.app("minimum_age: 3600")) is None
    bench.clock.go_on(timedelta(seconds=3600))

    assert await bench.checker.check(bench.app("minimum_age: 3600")) is not None


WINDOW = 'window: {from: "02:00", to: "05:00"}'


def test_an_update_waits_for_its_window_says_so_and_is_installed_when_it_opens(bench: Bench) -> None:
    with_update(bench)
    bench.clock.go_on(datetime(2026, 3, 2, 1, 0, tzinfo=UTC) - bench.clock())
    said: list[str] = []

    async def story() -> None:
        async with bench.following(f"auto_update: true, background_check: {{interval: 1000000}}, {WINDOW}"):
            await asyncio.sleep(1800)
            said.append(bench.checker.waits(APP))
            assert bench.scheduler.taken == []
            bench.clock.go_on(timedelta(hours=1))
            await asyncio.sleep(1801)

    virtual_time.run(story())

    assert said == ["It installs itself when its window opens (update.window): Mon 2026-03-02 02:00 UTC."]
    assert bench.scheduler.taken == [(APP, "r2", "auto_update")]
    assert bench.source.asked == 1


def test_without_checks_in_the_background_the_window_is_waited_for_too(bench: Bench) -> None:
    with_update(bench)
    bench.clock.go_on(datetime(2026, 3, 2, 1, 0, tzinfo=UTC) - bench.clock())

    async def story() -> None:
        async with bench.following(f"auto_update: true, background_check: {{enabled: false}}, {WINDOW}"):
            await asyncio.sleep(1800)
            bench.clock.go_on(timedelta(hours=1))
            await asyncio.sleep(61)

    virtual_time.run(story())

    # The fake scheduler carries nothing out: it may be asked again.
    assert set(bench.scheduler.taken) == {(APP, "r2", "auto_update")}


class Stalling(FakeSource):
    """Never answers."""

    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError


class Counting(FakeSource):
    """Takes a second to answer, and counts how many are asked at the same time."""

    now, most = 0, 0

    async def newest(self, ref: str = "") -> SourceRelease:
        Counting.now += 1
        Counting.most = max(Counting.most, Counting.now)
        await asyncio.sleep(1)
        Counting.now -= 1
        return await super().newest(ref)


def on_host(bench: Bench, name: str, host: str, source: FakeSource) -> AppContext:
    text = (
        f"apps:\n  {name}:\n    update: {{git: {{remote: 'https://{host}/x.git'}}}}\n    route: {{host: {name}.test}}\n"
    )
    return replace(bench.app(), name=name, source=source, config=loader.parse(text, "c.yaml").config.apps[name])


def test_many_apps_of_one_host_are_asked_one_after_the_other(bench: Bench) -> None:
    sources = [Counting() for _ in range(20)]
    for source in sources:
        source.publish()
    Counting.now = Counting.most = 0

    async def story() -> None:
        bench.checker.follow([on_host(bench, f"a{at}", "git.test", one) for at, one in enumerate(sources)])
        await asyncio.sleep(25)
        await bench.supervisor.stop()

    virtual_time.run(story())

    assert Counting.most == 1
    assert all(source.asked for source in sources)


def test_hosts_that_stall_keep_no_slot_from_others_and_a_check_of_them_ends(bench: Bench) -> None:
    quick = [FakeSource() for _ in range(10)]
    for source in quick:
        source.publish()
    slow = [Stalling() for _ in range(8)]

    async def story() -> None:
        apps = [on_host(bench, f"s{at}", f"slow-{at}.test", one) for at, one in enumerate(slow)]
        apps += [on_host(bench, f"q{at}", f"quick-{at}.test", one) for at, one in enumerate(quick)]
        bench.checker.follow(apps)
        await asyncio.sleep(2 * SLOW_S + 1)
        assert all(source.asked == 1 for source in quick)
        await asyncio.sleep(checker_module.CHECK_WITHIN_S)
        await bench.supervisor.stop()

    virtual_time.run(story())

    failed = [one for one in bench.journal.events() if one.kind == "check_failed"]
    assert len(failed) == len(slow)
    assert {one.fields["cause"] for one in failed} == {
        f"The check of s{at} did not end within 330 s." for at in range(8)
    }


def test_a_person_waits_neither_for_the_turn_of_the_background_nor_for_ever(bench: Bench) -> None:
    slow, quick = Stalling(), FakeSource()
    quick.publish()

    async def story() -> None:
        apps = [on_host(bench, "slow", "git.test", slow), on_host(bench, "quick", "git.test", quick)]
        bench.checker.follow(apps)
        await asyncio.sleep(1)
        assert quick.asked == 0
        assert await bench.checker.check(apps[1]) is not None
        with pytest.raises(StepFailed, match="did not end within 330 s"):
            await bench.checker.check(on_host(bench, "slow2", "git.test", Stalling()))
        await bench.supervisor.stop()

    virtual_time.run(story())


async def test_asked_afresh_the_source_forgets_what_it_knew(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app())
    assert bench.source.forgotten == 0

    await bench.checker.check(bench.app(), afresh=True)

    assert bench.source.forgotten == 1


class Caching(FakeSource):
    """Each question takes a second, and leaves what the next one is asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.knows = False
        self.asked_knowing: list[bool] = []

    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked_knowing.append(self.knows)
        await asyncio.sleep(1)
        self.knows = True
        return await super().newest(ref)

    def forget(self) -> None:
        self.knows = False


def test_asked_afresh_nothing_is_known_that_a_check_under_way_finds_out_meanwhile(bench: Bench) -> None:
    source = bench.source = Caching()
    with_update(bench)

    async def story() -> None:
        under_way = asyncio.create_task(bench.checker.check(bench.app()))
        await asyncio.sleep(0.5)
        await bench.checker.check(bench.app(), afresh=True)
        await under_way

    virtual_time.run(story())

    assert source.asked_knowing == [False, False]


async def test_a_check_that_began_before_a_change_of_the_configuration_does_not_bring_the_old_one_back(
    bench: Bench,
) -> None:
    bench.source = Undated(None)
    with_update(bench)
    before = bench.app()
    async with bench.following("enabled: false, minimum_age: 3600"):
        await bench.checker.check(before)

        assert bench.checker.known(APP) is None


@pytest.mark.parametrize(
    ("update", "host"),
    [
        ("git: {remote: .}", ""),
        ("git: {remote: /srv/shop}", ""),
        ("git: {remote: origin}", "origin"),
        ("git: {remote: 'https://user@Git.Example.com:8443/shop.git'}", "git.example.com:8443"),
        ("git: {remote: 'git@git.example.com:shop.git'}", "git.example.com"),
        ("git: {remote: 'ssh://git@git.example.com/shop.git'}", "git.example.com"),
        ("source: pypi, pypi: {package_name: shop}", urlsplit(PYPI_SIMPLE_ENDPOINT).netloc),
        (
            "source: pypi, pypi: {package_name: shop, index_url: 'https://index.example.com/simple/'}",
            "index.example.com",
        ),
        ("source: url, url: {manifest_url: 'https://x.test/m', download_url: 'https://y.test/{version}'}", "x.test"),
        ("source: registry, registry: {image: shop}", "docker.io"),
        ("source: registry, registry: {image: 'localhost:5000/shop'}", "localhost:5000"),
    ],
)
def test_the_host_of_a_source_is_known_by_its_configuration(update: str, host: str) -> None:
    text = f"apps:\n  shop:\n    update: {{{update}}}\n    route: {{host: shop.test}}\n"

    assert asked_host(loader.parse(text, "c.yaml").config.apps["shop"].update) == host


@pytest.mark.parametrize(
    ("live", "skipped", "failed", "offered"),
    [
        (1, (4,), (), 3),
        (1, (3, 4), (), 2),
        (1, (2, 3, 4), (), None),
        (3, (4,), (), None),
        (2, (4,), (3,), None),
        (1, (2,), (), 4),
    ],
)
async def test_where_the_newest_version_is_skipped_the_newest_of_the_others_is_offered(
    bench: Bench, live: int, skipped: tuple[int, ...], failed: tuple[int, ...], offered: int | None
) -> None:
    """Never what is live or older; one that failed is not tried again, and none before it is."""
    releases = [bench.source.publish() for _ in range(4)]
    bench.live(releases[live - 1])
    for number in failed:
        bench.tried(releases[number - 1], State.FAILED, failure=Failure(StepName.VERIFY, "It does not answer."))
    for number in skipped:
        await bench.checker.skip(APP, f"v{number}", "anna")

    found = await bench.checker.check(bench.app())

    assert (found.release if found else None) == (releases[offered - 1] if offered else None)
    held_back = bench.checker.held_back(APP)
    assert (held_back is None) is (offered is not None)
    if held_back:
        assert ("skipped" in held_back.says) is not bool(failed)


async def test_another_name_of_a_skipped_release_is_not_offered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As images have several tags, and a label that says the version."""
    with_update(bench)
    listed = (SourceVersion("stable", "r2", None), SourceVersion("2.0", "r2", None))

    async def versions() -> tuple[SourceVersion, ...]:
        return listed

    monkeypatch.setattr(bench.source, "versions", versions)
    await bench.checker.skip(APP, "v2", "anna")

    assert await bench.checker.check(bench.app()) is None


async def test_after_a_skip_the_source_is_asked_soon_so_that_another_version_is_offered(bench: Bench) -> None:
    with_update(bench)
    bench.source.publish()
    async with bench.following("background_check: {interval: 100000}"):
        await until(lambda: bench.checker.known(APP) is not None)
        await bench.checker.skip(APP, "v3", "anna")
        await until(lambda: bench.checker.known(APP) is not None)
    known = bench.checker.known(APP)
    assert known is not None
    assert known.release.version == "v2"


class Listing(FakeSource):
    """Takes a second to list its versions."""

    listed = 0

    async def versions(self) -> tuple[SourceVersion, ...]:
        self.listed += 1
        await asyncio.sleep(1)
        return await super().versions()


def test_of_many_who_ask_for_versions_few_ask_the_source(bench: Bench) -> None:
    """Each fetched the repository, one after the other, and a deployment waited behind all of them."""
    source = bench.source = Listing()
    with_update(bench)

    async def story() -> None:
        lists = await asyncio.gather(*(bench.checker.lists.of(bench.app()) for _ in range(200)))
        assert {tuple(one.version.version for one in found) for found in lists} == {("v2", "v1")}
        assert {tuple(one.state for one in found) for found in lists} == {("", "live")}

    virtual_time.run(story())

    assert source.listed == 2


def test_who_asks_for_versions_takes_turns_with_those_who_ask_for_checks(bench: Bench) -> None:
    sources = [Listing() for _ in range(20)]

    async def story() -> None:
        apps = [on_host(bench, f"a{at}", "git.test", one) for at, one in enumerate(sources)]
        asking = [asyncio.create_task(bench.checker.lists.of(app)) for app in apps]
        await asyncio.sleep(0.5)
        assert sum(source.listed for source in sources) == ASKED_OF_ONE_HOST
        await asyncio.gather(*asking)

    virtual_time.run(story())
