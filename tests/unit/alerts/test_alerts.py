"""Alerts are made of events: each once, with its true beginning and end, also over a kill and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.alerts import keeper
from orchestrator.alerts.disk import LOOK_AGAIN_S, DiskWatch
from orchestrator.alerts.keeper import AlertKeeper
from orchestrator.clock import now
from orchestrator.config.schema import Config
from orchestrator.domain.alert import Alert, AlertKind
from orchestrator.domain.events import (
    ConfigLoaded,
    Event,
    EventKind,
    Failed,
    FailedOver,
    HealthChanged,
    Live,
    NewEvent,
    Occurrence,
    WentBack,
)
from orchestrator.domain.mute import Mute
from orchestrator.domain.outage_events import Outage, OutageOver
from orchestrator.errors import JournalError
from orchestrator.events.stream import EventStream
from orchestrator.journal import alerts as alert_records
from tests.support import virtual_time
from tests.support.fakes.journal import UnreliableJournal

LIVE = Live(1.0, "blue")
AWAY = Outage("v1", "unhealthy", "it answered 500", seconds=60.0)
CRASHED = FailedOver("v0", "shop-blue exited with code 137", 0.4)


def record(journal: UnreliableJournal, *happened: Occurrence, app: str = "shop", deployment: str = "") -> None:
    journal.append_events(NewEvent(one.kind, app, deployment, one.as_json()) for one in happened)


async def read(journal: UnreliableJournal) -> list[Alert]:
    """What a new process makes of the events, the newest first."""
    task = asyncio.create_task(AlertKeeper(journal).keep_current())
    newest = journal.last_event_id()
    async with asyncio.timeout(20):
        while journal.alerts_made_until() < newest and not task.done():  # noqa: ASYNC110 (the keeper has no event)
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return journal.alerts(500)


def kinds(alerts: Iterable[Alert]) -> list[tuple[AlertKind, bool]]:
    """Each with whether it goes on."""
    return [(one.kind, one.ended_at is None) for one in alerts]


async def test_a_failed_deployment_is_an_alert_until_one_succeeds(journal: UnreliableJournal) -> None:
    record(journal, Failed("build", "exit code 1"), deployment="d1")
    (failed,) = await read(journal)
    assert (failed.kind, failed.app, failed.deployment) == (AlertKind.DEPLOYMENT_FAILED, "shop", "d1")
    assert failed.cause == "build: exit code 1"
    assert failed.ended_at is None

    record(journal, LIVE, app="till", deployment="d2")
    assert kinds(await read(journal)) == [(AlertKind.DEPLOYMENT_FAILED, True)]

    record(journal, LIVE, deployment="d3")
    assert kinds(await read(journal)) == [(AlertKind.DEPLOYMENT_FAILED, False)]


async def test_one_whose_traffic_was_sent_back_is_told_apart(journal: UnreliableJournal) -> None:
    record(journal, Failed("switch", "it answered 500"), deployment="d1")

    assert kinds(await read(journal)) == [(AlertKind.ROLLED_BACK, True)]


async def test_an_outage_begins_and_ends_when_it_did_and_not_when_it_was_told(journal: UnreliableJournal) -> None:
    record(journal, AWAY)
    (told,) = journal.events()
    record(journal, replace(AWAY, seconds=90.0), HealthChanged("healthy"), OutageOver("v1", 75.0))

    (outage,) = await read(journal)

    assert outage.began_at == told.at - timedelta(seconds=60)
    assert outage.ended_at is not None
    assert outage.ended_at <= outage.began_at + timedelta(seconds=75)
    assert outage.cause == "it answered 500"


async def test_a_failover_is_one_alert_and_no_absence(journal: UnreliableJournal) -> None:
    record(journal, CRASHED, Outage("v1", "standby", "exit code 137", "v0"))
    (over,) = await read(journal)
    assert (over.kind, over.ended_at) == (AlertKind.FAILED_OVER, None)
    assert over.cause == "v0 answers in its place: shop-blue exited with code 137"

    record(journal, WentBack(3, 5.0), OutageOver("v1", 5.0))
    assert kinds(await read(journal)) == [(AlertKind.FAILED_OVER, False)]


async def test_a_failover_of_which_only_the_outage_was_heard_is_one(journal: UnreliableJournal) -> None:
    record(journal, Outage("v1", "standby", "exit code 137", "v0"), OutageOver("v1", 5.0))

    assert kinds(await read(journal)) == [(AlertKind.FAILED_OVER, False)]


async def test_alerts_of_an_app_that_is_configured_no_more_are_over(journal: UnreliableJournal) -> None:
    record(journal, AWAY)
    record(journal, AWAY, app="till")
    record(journal, ConfigLoaded(["panel", "till"]), app="")

    assert [(one.app, one.ended_at is None) for one in await read(journal)] == [("till", True), ("shop", False)]


async def test_each_event_is_read_once_however_often_it_is_started_and_killed(
    journal: UnreliableJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "BATCH", 2)
    for number in range(5):
        record(journal, Failed("build", str(number)), deployment=f"d{number}")

    def killed(*_arguments: object, **_named: object) -> None:
        raise JournalError("The process was killed.", "")

    with monkeypatch.context() as kill:
        kill.setattr(journal, "save_alerts", killed)
        await read(journal)
    for _ in range(3):
        found = await read(journal)

    assert [one.cause for one in found] == [f"build: {number}" for number in reversed(range(5))]


async def test_what_begins_and_ends_in_one_batch_is_one_alert(journal: UnreliableJournal) -> None:
    record(journal, Failed("build", "one"), LIVE, Failed("build", "two"), AWAY, OutageOver("v1", 0.0))

    found = await read(journal)

    assert [(one.cause, one.ended_at is None) for one in found] == [
        ("it answered 500", False),
        ("build: two", True),
        ("build: one", False),
    ]


async def test_alerts_are_kept_for_90_days(journal: UnreliableJournal) -> None:
    ended = [now() - timedelta(days=days) for days in (91, 89)]
    old = [Alert(AlertKind.OUTAGE, "shop", at, "x", ended_at=at) for at in ended]
    going_on = Alert(AlertKind.DISK, "", now() - timedelta(days=200), "x")
    journal.save_alerts([*old, going_on], 0, forget_before=now() - timedelta(days=300))

    record(journal, LIVE)
    found = await read(journal)

    assert [one.ended_at for one in found] == [None, ended[1]]


def test_a_source_that_fails_every_minute_does_not_fill_the_disk(
    journal: UnreliableJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_records, "MOST_OF_APP", 3)
    for number in range(6):
        one = Alert(AlertKind.DEPLOYMENT_FAILED, "shop", now(), str(number))
        journal.save_alerts([one], 0, forget_before=now() - timedelta(days=90))

    assert [one.cause for one in journal.alerts(10)] == ["5", "4", "3"]


async def test_an_alert_says_whether_its_app_was_muted(journal: UnreliableJournal) -> None:
    journal.save_mute(Mute("shop", now() - timedelta(hours=1), now() + timedelta(hours=1), "ann"))
    record(journal, AWAY)
    record(journal, AWAY, app="till")

    assert [(one.app, one.muted) for one in await read(journal)] == [("till", False), ("shop", True)]


def disk_events(journal: UnreliableJournal) -> list[Event]:
    return [one for one in journal.events() if one.kind in (EventKind.DISK_LOW, EventKind.DISK_ENOUGH)]


def test_a_disk_that_runs_out_is_told_once_also_over_a_restart(journal: UnreliableJournal, tmp_path: Path) -> None:
    free = [2000]

    async def watched(minutes: int) -> None:
        watch = DiskWatch(tmp_path, Config, journal, EventStream(journal), lambda _folder: free[0])
        task = asyncio.create_task(watch.keep_watching())
        await asyncio.sleep(minutes * LOOK_AGAIN_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def story() -> None:
        await watched(2)
        assert not disk_events(journal)
        free[0] = 800
        await watched(3)
        await watched(3)
        assert [one.fields for one in disk_events(journal)] == [{"free_mb": 800, "required_mb": 1024}]
        free[0] = 1030
        await watched(2)
        assert len(disk_events(journal)) == 1, "at the limit it is not told again and again"
        free[0] = 5000
        await watched(2)
        assert [one.kind for one in disk_events(journal)] == ["disk_low", "disk_enough"]

    virtual_time.run(story())
    assert kinds(asyncio.run(read(journal))) == [(AlertKind.DISK, False)]
