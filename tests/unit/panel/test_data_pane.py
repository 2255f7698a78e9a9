"""The Data tab: a key and a question for each change, and nothing that the token may not do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from panel.client.client import Client
from panel.client.events import Event
from panel.screens.question import QuestionScreen
from panel.widgets.data.pane import DataPane
from panel.widgets.key_line import KeyLine
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

PATH = "/v1/apps/shop/backups"
FIRST, SECOND = answers.backups()[0]["id"], answers.backups()[1]["id"]


class Host(App[None]):
    """The pane, as the dashboard mounts it."""

    CSS = "ModalScreen { align: center middle; } .dialog { width: 90; height: auto; border: round red; }"

    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self.pane = DataPane(Client(api.url, "co_secret"), lambda: NOW)

    def compose(self) -> ComposeResult:
        yield self.pane
        yield KeyLine()

    def on_mount(self) -> None:
        self.pane.show_app("shop")
        self.pane.query_one("#backups").focus()


@pytest.fixture
def data(api: FakeApi) -> FakeApi:
    api.gives("GET", PATH, {"backups": answers.backups()})
    api.gives("GET", "/v1/apps/shop/migrations", answers.migrations())
    api.gives("GET", "/v1/apps/shop/plan", {"app": "shop", "kind": "restore", "steps": [], "cost": ["It costs this."]})
    past = [answers.deployment("d50", kind="restore", seconds=3.2, paused=1.1)]
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": past, "before": None})
    return api


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)


async def says(pilot: Pilot[Any], *words: str) -> None:
    def has() -> bool:
        text = " ".join(shown(pilot).replace("│", " ").split())
        return all(one in text for one in words)

    await until(pilot, has)


async def tells(pilot: Pilot[Any], words: str) -> None:
    await until(pilot, lambda: any(words in one.message for one in pilot.app._notifications))


async def test_it_shows_the_backups_the_schema_and_what_a_rollback_needs(data: FakeApi) -> None:
    async with Host(data).run_test(size=(110, 30)) as pilot:
        await says(
            pilot, "3 backups of shop, 3.0 MiB, the newest made 1 hour ago, 1 damaged", "✓ 30 minutes ago", "never"
        )
        await says(pilot, "✓ 30 minutes ago", "never", "0002", "v0.9.0 can run on the data", FIRST)


@pytest.mark.parametrize("width", [40, 150])
async def test_it_fits_any_width(data: FakeApi, width: int) -> None:
    async with Host(data).run_test(size=(width, 24)) as pilot:
        await says(pilot, "3 backups of shop", "Rollback")


async def test_a_restore_is_asked_for_with_what_it_replaces_how_long_it_takes_and_what_it_costs(data: FakeApi) -> None:
    data.gives("POST", f"{PATH}/{SECOND}/restore", answers.deployment("d51", kind="restore"))
    async with Host(data).run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        await pilot.press("down", "r")
        await says(pilot, "Everything that shop wrote since then is replaced", "It costs this.")
        await says(pilot, "The last restore took 3.2 s, and requests waited for 1.1 s of it.")
        await says(pilot, f"changeover backup restore shop {SECOND}")
        await pilot.press("enter")
        assert not data.requests("POST", f"{PATH}/{SECOND}/restore"), "Enter means no"

        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuestionScreen))
        await pilot.press("y")
        await tells(pilot, "Restored")


async def test_a_restore_that_fails_is_told_as_an_error(data: FakeApi) -> None:
    data.gives("POST", f"{PATH}/{FIRST}/restore", answers.failed("d51", kind="restore"), status=502)
    async with Host(data).run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuestionScreen))
        await pilot.press("y")
        await tells(pilot, "exited with code 1")
        assert [one.severity for one in pilot.app._notifications] == ["error"]


@pytest.mark.parametrize(
    ("key", "asked", "says_first", "then"),
    [
        ("c", ("POST", PATH), "copied while it runs", "is created"),
        ("v", ("POST", f"{PATH}/{FIRST}/verify"), "compared with its checksums", "every checksum matches"),
        ("delete", ("DELETE", f"{PATH}/{FIRST}"), "deleted for ever", "is deleted"),
    ],
)
async def test_each_change_is_a_key_and_a_question(
    data: FakeApi, key: str, asked: tuple[str, str], says_first: str, then: str
) -> None:
    data.gives(*asked, {"app": "shop", "backup": FIRST} | answers.backups()[0])
    async with Host(data).run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        await pilot.press(key)
        await says(pilot, says_first, "The same as: changeover backup")
        assert not data.requests(*asked)
        await pilot.press("y")
        await tells(pilot, then)
        await until(pilot, lambda: len(data.requests("GET", PATH)) > 1)


async def test_a_token_that_may_only_read_may_verify_and_is_offered_nothing_else(data: FakeApi) -> None:
    data.gives("GET", "/v1/sessions/current", {"token": "ann", "scope": "read", "apps": None, "expires_at": None})
    async with Host(data).run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        await until(pilot, lambda: "Restore" not in shown(pilot))
        assert "V Verify" in shown(pilot)
        await pilot.press("c", "r", "delete")
        await pilot.pause(0.1)
        assert not isinstance(pilot.app.screen, QuestionScreen)


async def test_it_asks_nothing_while_it_is_hidden_and_again_when_it_is_seen(data: FakeApi) -> None:
    host = Host(data)
    async with host.run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        host.pane.display = False
        await pilot.pause(0.1)
        verified = Event.model_validate(
            {"id": 1, "at": NOW, "kind": "backup_verified", "app": "shop", "fields": {"backup": FIRST}}
        )
        host.pane.take(verified)
        await pilot.pause(0.2)
        assert len(data.requests("GET", PATH)) == 1

        host.pane.display = True
        await until(pilot, lambda: len(data.requests("GET", PATH)) == 2)
        assert len(data.requests("GET", "/v1/apps/shop/migrations")) == 1, "that starts the app's status command"


async def test_another_app_takes_the_place_of_the_one_before(data: FakeApi) -> None:
    data.gives("GET", "/v1/apps/till/backups", {"backups": []})
    data.refuses("GET", "/v1/apps/till/migrations", 502, detail="The status command failed.")
    host = Host(data)
    async with host.run_test(size=(110, 30)) as pilot:
        await says(pilot, "3 backups")
        host.pane.show_app("till")
        await says(pilot, "till has no backups", "The status command failed.")
        assert FIRST not in shown(pilot)
