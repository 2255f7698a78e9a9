"""The Configuration tab: what is in effect, from where, what is wrong, and what was changed since the deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from panel.client.client import Client
from panel.client.events import Event
from panel.widgets.configuration.pane import ConfigurationPane
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

PATH = "/v1/apps/shop/configuration"


class Host(App[None]):
    """The pane, as the dashboard mounts it."""

    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self.pane = ConfigurationPane(Client(api.url, "co_secret"), lambda: NOW)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.show_app("shop")
        self.pane.query_one("#values").focus()


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)


async def says(pilot: Pilot[Any], *words: str) -> None:
    await until(pilot, lambda: all(one in " ".join(shown(pilot).split()) for one in words))


@pytest.mark.parametrize("width", [40, 110, 150])
async def test_it_shows_values_lines_problems_and_changes(api: FakeApi, width: int) -> None:
    api.gives("GET", PATH, answers.configuration())
    async with Host(api).run_test(size=(width, 30)) as pilot:
        await says(pilot, "run.port 8000", "apps.till.port: unknown key", "workers: has no effect yet")
        await says(pilot, "1 value changed since d41", "changeover deploy shop", "deployed with: 80")
        assert "run.memory" not in shown(pilot)

        await pilot.press("a")
        await says(pilot, "run.memory")


async def test_a_change_that_is_not_shown_is_said(api: FakeApi) -> None:
    values = [answers.value("run.env.SMTP_PASS", "[hidden]", "file", line=14)]
    api.gives("GET", PATH, answers.configuration(values=values))
    async with Host(api).run_test(size=(110, 30)) as pilot:
        await says(pilot, "Changed since d41, the live deployment: a secret")
        api.gives("GET", PATH, answers.configuration(values=values, is_known=False))
        loaded = Event.model_validate({"id": 1, "at": NOW, "kind": "config_loaded"})
        pilot.app.query_one(ConfigurationPane).take(loaded)
        await says(pilot, "Which values it had is not known")


async def test_what_the_orchestrator_refuses_is_said(api: FakeApi) -> None:
    api.refuses("GET", PATH, 404, detail="There is no app 'shop'.")
    async with Host(api).run_test(size=(110, 30)) as pilot:
        await says(pilot, "There is no app 'shop'.")
