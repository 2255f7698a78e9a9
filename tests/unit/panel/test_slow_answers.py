"""An answer that takes long keeps no other key waiting, and asks nobody who has gone to another screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.access_model import AuditEntries
from panel.client.model import Apps, Deployment, Plan
from panel.client.update_model import Update
from panel.screens.audit import AuditScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import WithoutEvents


class Slow(WithoutEvents):
    """Answers `waits_at` when `released` is set, everything else at once."""

    def __init__(self, waits_at: str) -> None:
        super().__init__()
        self._waits_at = waits_at
        self.asked: list[str] = []
        self.released = asyncio.Event()

    async def _answer(self, what: str) -> None:
        self.asked.append(what)
        if what == self._waits_at:
            await self.released.wait()

    async def status(self) -> Apps:
        await self._answer("status")
        update = answers.update() if self._waits_at in ("deploy", "dismiss") else None
        shop = answers.app(standby=answers.slot("v0.9.0", "green"), update=update)
        return Apps.model_validate({"apps": [shop]})

    async def check(self, app: str, *, afresh: bool = False) -> Update | None:
        await self._answer("check")
        return Update.model_validate(answers.update())

    async def plan(self, app: str, kind: str = "deploy") -> Plan:
        return Plan(app=app, kind=kind, steps=())

    async def deploy(self, *_asked: Any, **_more: Any) -> Deployment:
        await self._answer("deploy")
        return Deployment.model_validate(answers.deployment())

    async def rollback(self, *_asked: Any, **_more: Any) -> Deployment:
        await self._answer("rollback")
        return Deployment.model_validate(answers.deployment())

    async def cancel(self, deployment: str) -> Deployment:
        await self._answer("cancel")
        return Deployment.model_validate(answers.deployment())

    async def dismiss(self, app: str, version: str = "") -> None:
        await self._answer("dismiss")

    async def audit(self, *_asked: Any, **_more: Any) -> AuditEntries:
        return AuditEntries(entries=())


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, pilot.app.screen
        await asyncio.sleep(0.01)


def press(pilot: Pilot[Any], key: str) -> None:
    """Without waiting for what it does."""
    pilot.app.simulate_key(key)


@pytest.mark.parametrize(
    ("keys", "waits_at"), [("u", "status"), ("u", "check"), ("b y", "rollback"), ("u y", "deploy"), ("x", "dismiss")]
)
async def test_while_an_answer_is_waited_for_other_keys_work(keys: str, waits_at: str) -> None:
    client = Slow(waits_at)
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and "status" in client.asked)
        if waits_at != "status":
            await until(pilot, lambda: bool(app._dashboard.selected))
        first, *more = keys.split()
        press(pilot, first)
        for key in more:
            await until(pilot, lambda: not isinstance(app.screen, DashboardScreen))
            press(pilot, key)
        await until(pilot, lambda: waits_at in client.asked and isinstance(app.screen, DashboardScreen))
        press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen))
        client.released.set()
        await asyncio.sleep(0.1)
        assert isinstance(app.screen, AuditScreen), "the next key would be an answer to a question nobody expects"


async def test_while_a_cancel_is_waited_for_the_progress_can_be_left() -> None:
    client = Slow("cancel")
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test() as pilot:
        await app.push_screen(ProgressScreen(client, "shop", "d1", lambda: NOW))
        press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        press(pilot, "y")
        await until(pilot, lambda: "cancel" in client.asked)
        press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
