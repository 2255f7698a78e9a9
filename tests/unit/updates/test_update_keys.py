"""What the keys of `update` that are about checks do: who is asked, when, and what becomes of what is found."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.config.schema import App, Route
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.domain.update import Update
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal
from orchestrator.sources.base import SourceRelease
from orchestrator.supervision import Supervisor
from orchestrator.updates.checker import UpdateChecker

NEWEST = Release("v2", "2222222")
LIVE = Release("v1", "1111111")
SOON_S = 0.02
A_WHILE_S = 0.2


class Source:
    """Always has something newer than what is live, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._news = asyncio.Condition()

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self.asked >= times)

    async def newest(self, _ref: str = "") -> SourceRelease:
        async with self._news:
            self.asked += 1
            self._news.notify_all()
        return SourceRelease(NEWEST, datetime(2026, 1, 1, tzinfo=UTC))

    async def is_older(self, revision: str, than: str) -> bool:
        return False

    async def changelog(self, _since: str, _until: str) -> Changelog:
        return Changelog()

    async def origin(self) -> str:
        return "nowhere"


class Requests:
    """In place of the scheduler: what it was asked to deploy."""

    def __init__(self) -> None:
        self.refs: list[str] = []

    async def request(self, _app: str, ref: str, **_by: object) -> None:
        self.refs.append(ref)

    def busy_with(self, _app: str) -> None:
        return None


class Checks:
    """A checker of one app with a live release, its source, and what it has asked to be deployed."""

    def __init__(self, journal: Journal, policy: UpdatePolicy) -> None:
        live = Deployment(
            "1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), release=LIVE, colour=Colour.BLUE, live_at=now()
        )
        if not journal.deployments("shop"):
            journal.add(live)
            journal.save_switch("shop", Slots(active="1", standby=""), live)
        self.source, self.requests = Source(), Requests()
        self._supervisor = Supervisor()
        self._checker = UpdateChecker(journal, EventStream(journal), cast(Scheduler, self.requests), self._supervisor)
        config = App(update=policy, route=Route(host="shop.test"))
        self._context = cast(
            AppContext, SimpleNamespace(name="shop", config=config, source=self.source, config_file=Path("c.yaml"))
        )

    async def __aenter__(self) -> Checks:
        self._checker.follow([self._context])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._supervisor.stop()

    async def check(self) -> Update | None:
        """As a person asks for it."""
        return await self._checker.check(self._context)


def policy(**keys: Any) -> UpdatePolicy:
    return UpdatePolicy.model_validate({"background_check": {"interval": SOON_S}} | keys)


async def test_the_source_is_asked_again_after_each_interval(journal: Journal) -> None:
    async with Checks(journal, policy()) as checks:
        await checks.source.until_asked(4)


async def test_the_source_is_not_asked_again_before_the_interval_has_passed(journal: Journal) -> None:
    async with Checks(journal, policy(background_check={"interval": 3600.0})) as checks:
        await checks.source.until_asked(1)
        await asyncio.sleep(A_WHILE_S)

        assert checks.source.asked == 1


async def test_without_background_checks_the_source_is_asked_at_the_start_only(journal: Journal) -> None:
    async with Checks(journal, policy(background_check={"interval": SOON_S, "enabled": False})) as checks:
        await checks.source.until_asked(1)
        await asyncio.sleep(A_WHILE_S)

        assert checks.source.asked == 1


async def test_without_a_check_at_the_start_the_first_comes_after_the_interval(journal: Journal) -> None:
    keys = {"check_on_startup": False, "background_check": {"interval": 3600.0}}
    async with Checks(journal, policy(**keys)) as checks:
        await asyncio.sleep(A_WHILE_S)

        assert checks.source.asked == 0


async def test_without_a_check_at_the_start_and_in_the_background_there_is_one_after_the_interval(
    journal: Journal,
) -> None:
    keys = {"check_on_startup": False, "background_check": {"interval": SOON_S, "enabled": False}}
    async with Checks(journal, policy(**keys)) as checks:
        await checks.source.until_asked(1)
        await asyncio.sleep(A_WHILE_S)

        assert checks.source.asked == 1


async def test_where_checks_are_switched_off_the_source_is_never_asked(journal: Journal) -> None:
    async with Checks(journal, policy(enabled=False)) as checks:
        await asyncio.sleep(A_WHILE_S)

        assert checks.source.asked == 0


@pytest.mark.parametrize("auto_update", [True, False])
async def test_what_a_check_finds_is_deployed_only_where_that_is_configured(
    journal: Journal, auto_update: bool
) -> None:
    async with Checks(journal, policy(auto_update=auto_update)) as checks:
        await checks.source.until_asked(3)

        assert set(checks.requests.refs) == ({NEWEST.source_revision} if auto_update else set())


async def test_a_remote_that_only_people_ask_is_not_asked_in_the_background(journal: Journal) -> None:
    async with Checks(journal, policy(git={"auto_fetch": False}, auto_update=True)) as checks:
        await asyncio.sleep(A_WHILE_S)
        assert checks.source.asked == 0

        assert await checks.check() is not None
        assert checks.source.asked == 1


async def test_a_remote_is_not_asked_again_before_what_was_fetched_is_old(journal: Journal) -> None:
    async with Checks(journal, policy(git={"fetch_interval": 3600.0})) as checks:
        await checks.source.until_asked(1)
        await asyncio.sleep(A_WHILE_S)
        assert checks.source.asked == 1

        await checks.check()
        assert checks.source.asked == 2
    async with Checks(journal, policy(git={"fetch_interval": SOON_S})) as checks:
        await checks.source.until_asked(4)
