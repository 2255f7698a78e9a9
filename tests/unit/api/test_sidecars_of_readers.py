"""Requests that only read start few sidecars at a time, and write nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orchestrator.access.caller import Caller
from orchestrator.api import backups, migrations
from orchestrator.clock import now
from orchestrator.doctor import checks
from orchestrator.doctor.report import Finding
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.events import EventKind
from orchestrator.domain.release import Release
from orchestrator.engine.base import ContainerStatus
from orchestrator.server import MOST_SIDECARS_OF_READERS, Orchestrator
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

READER = Caller("reader", Scope.READ, None, "127.0.0.1")
READS: dict[str, Callable[[Orchestrator], Awaitable[object]]] = {
    "backups": lambda orchestrator: backups.list_backups("shop", orchestrator, READER),
    "verify": lambda orchestrator: backups.verify("shop", "b1", orchestrator, READER),
    "extract": lambda orchestrator: backups.extract("shop", "b1", orchestrator, READER, backups.Part.LOGS),
    "migrations": lambda orchestrator: migrations.show("shop", orchestrator, READER),
    "doctor": lambda orchestrator: checks.examine(orchestrator),
}
DATA = "    run: {data: /data}\n    migrate: {command: up, status: status}\n"


@pytest.fixture
def reading(orchestrator: Orchestrator) -> Orchestrator:
    """One app with data and a live release."""
    orchestrator.settings.config.write_text(SHOP + DATA)
    asyncio.run(orchestrator.reload_config())
    release = Release("v1", "1" * 40, "sha256:1")
    live = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), release=release, colour=Colour.BLUE)
    orchestrator.journal.add(live)
    orchestrator.journal.save_switch("shop", Slots("d1"))
    return orchestrator


@pytest.mark.parametrize("name", READS)
def test_many_readers_at_once_start_few_sidecars_at_a_time(
    reading: Orchestrator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each list of backups is a container: a read token could start hundreds of them at once."""
    counted = {"now": 0, "most": 0}

    async def run_to_end(*_arguments: Any) -> tuple[ContainerStatus, bool]:
        counted["now"] += 1
        counted["most"] = max(counted.values())
        await asyncio.sleep(0.01)
        counted["now"] -= 1
        raise asyncio.CancelledError  # what they answer does not matter

    monkeypatch.setattr(reading.engine, "run_to_end", run_to_end)

    async def story() -> None:
        await asyncio.gather(*(READS[name](reading) for _ in range(30)), return_exceptions=True)

    asyncio.run(story())
    assert 0 < counted["most"] <= MOST_SIDECARS_OF_READERS


async def test_an_app_whose_sidecars_take_long_keeps_nobody_from_reading_of_another(api: Api) -> None:
    """A status command may take `migrate.timeout`, and whoever looks at its app's migrations starts one more."""
    orchestrator = api.orchestrator
    begun, may_end = asyncio.Semaphore(0), asyncio.Event()

    async def take_long() -> None:
        async with orchestrator.sidecars_of_readers.turn_of("slow"):
            begun.release()
            await may_end.wait()

    waiting = [asyncio.create_task(take_long()) for _ in range(3 * MOST_SIDECARS_OF_READERS)]
    await begun.acquire()
    async with asyncio.timeout(5), orchestrator.sidecars_of_readers.turn_of("shop"):
        pass
    may_end.set()
    await asyncio.gather(*waiting)


def test_who_asks_for_the_migrations_adds_nothing_to_the_output_of_a_deployment(reading: Orchestrator) -> None:
    """Each question added what the app's status command printed, for as long as the deployment is kept."""
    engine = reading.engine
    assert isinstance(engine, FakeEngine)
    engine.images["sha256:1"] = ["0001"]

    async def story() -> list[str]:
        shown = await migrations.show("shop", reading, READER)
        await asyncio.sleep(0.2)
        return [one.revision for one in shown.pending or ()]

    assert asyncio.run(story()) == ["0001"]
    assert [one for one in reading.journal.events() if one.kind == EventKind.LINE] == []


async def test_of_many_who_ask_the_doctor_at_once_few_examine(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each examination asks every app, so that a read token could have all apps asked hundreds of times at once."""
    examinations = 0

    async def examine(_orchestrator: Orchestrator) -> list[Finding]:
        nonlocal examinations
        examinations += 1
        await asyncio.sleep(0.2)
        return [Finding("all", well=True, says="fine")]

    monkeypatch.setattr(checks, "examine", examine)
    token = api.token(Scope.READ)
    answers = await asyncio.gather(*(api.json("GET", "/v1/doctor", token) for _ in range(20)))

    assert examinations == 2
    assert len(answers) == 20
    assert all("fine" in str(one) for one in answers)
