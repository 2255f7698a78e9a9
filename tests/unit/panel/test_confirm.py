"""What a person confirmed is what is asked for, whatever came while the question stood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.model import App
from panel.screens.confirm import ConfirmScreen
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WAIT_S = 20.0
SHOWN, NEWER = "1" * 40, "2" * 40


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A shop with an update and a standby; a newer update comes with the next check."""
    with FakeApi() as api:
        shop = answers.app(
            standby=answers.slot("v0.9.0", "green"), update=answers.update() | {"version": "v1.1.0", "revision": SHOWN}
        )
        api.gives("GET", "/v1/apps", {"apps": [shop]})
        api.gives("GET", "/v1/apps/shop", shop)
        api.gives("POST", "/v1/apps/shop/update/check", answers.update() | {"version": "v1.2.0", "revision": NEWER})
        api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)
        api.gives("POST", "/v1/apps/shop/rollback", answers.deployment(kind="rollback"))
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi) -> AsyncIterator[Pilot[Any]]:
    async with Client(api.url, "co_secret") as client:
        app = PanelApp(client)
        async with app.run_test() as pilot:
            await until(pilot, lambda: bool(api.requests("GET", "/v1/apps")))
            yield pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await pilot.pause(0.01)
    await pilot.pause()


def has_deployments(api: FakeApi, number: int) -> bool:
    return len(api.requests("POST", "/v1/apps/shop/deployments")) == number


async def asked_about_the_update(pilot: Pilot[Any]) -> None:
    await pilot.press("u")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))


async def test_the_question_says_when_something_newer_came_and_installs_what_it_shows(api: FakeApi) -> None:
    async with panel_of(api) as pilot:
        await asked_about_the_update(pilot)
        await until(pilot, lambda: "A newer version came meanwhile: v1.2.0" in shown(pilot))
        assert "Proceed with update to v1.1.0?" in shown(pilot)
        await pilot.press("y")
        await until(pilot, lambda: bool(api.requests("POST", "/v1/apps/shop/deployments")))

    assert [one.body["ref"] for one in api.requests("POST", "/v1/apps/shop/deployments")] == [SHOWN]


async def test_an_answer_that_is_older_than_the_question_is_no_newer_version_nor_is_one_that_was_taken_back(
    api: FakeApi,
) -> None:
    """The list of apps may have been on its way while the source was asked."""
    api.gives("GET", "/v1/apps", {"apps": [answers.app(update=None)]})
    api.gives("POST", "/v1/apps/shop/update/check", answers.update("v1.2.0", checked_at=answers.before(minutes=3)))
    async with panel_of(api) as pilot:
        await asked_about_the_update(pilot)
        question = pilot.app.screen
        assert isinstance(question, ConfirmScreen)
        for version, minutes, is_told in (("v1.1.0", 4, False), ("v1.3.0", 2, True), ("v1.2.0", 1, False)):
            revision = {"revision": version} if version != "v1.2.0" else {}
            found = answers.update(version, checked_at=answers.before(minutes=minutes), **revision)
            question.take(App.model_validate(answers.app(update=found)))
            await pilot.pause()
            assert (f"A newer version came meanwhile: {version}" in shown(pilot)) is is_told
            assert ("came meanwhile" in shown(pilot)) is is_told


async def test_the_question_says_how_old_the_check_is(api: FakeApi) -> None:
    async with panel_of(api) as pilot:
        await asked_about_the_update(pilot)

        assert "ago; Shift+U asks again." in shown(pilot)
        assert "Latest version" not in shown(pilot)


async def test_the_enter_of_a_sentence_that_was_typed_over_the_question_is_no_answer(api: FakeApi) -> None:
    """`update shop` and Enter, typed without the console, installed the update."""
    async with panel_of(api) as pilot:
        await asked_about_the_update(pilot)
        await pilot.press(*"pdat", "space", *"shop", "enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await until(pilot, lambda: "[Y] or [N]" in shown(pilot))
        await pilot.press("n")
        await pilot.pause(0.1)
        assert has_deployments(api, 0)


async def test_each_question_is_a_request_of_its_own_so_that_what_failed_can_be_asked_for_again(api: FakeApi) -> None:
    async with panel_of(api) as pilot:
        for number in (1, 2):
            await asked_about_the_update(pilot)
            await pilot.press("y")
            await until(pilot, partial(has_deployments, api, number))
            await pilot.press("enter")
            await pilot.pause()

    keys = {one.headers["idempotency-key"] for one in api.requests("POST", "/v1/apps/shop/deployments")}
    assert len(keys) == 2


async def test_a_rollback_names_the_standby_that_was_shown(api: FakeApi) -> None:
    async with panel_of(api) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: "Roll shop back?" in shown(pilot))
        await pilot.press("y")
        await until(pilot, lambda: bool(api.requests("POST", "/v1/apps/shop/rollback")))

    (asked,) = api.requests("POST", "/v1/apps/shop/rollback")
    assert asked.body["container"] == answers.slot("v0.9.0", "green")["container"]


async def test_a_rollback_to_a_release_that_crashed_is_warned_of(api: FakeApi) -> None:
    warned = answers.slot("v0.9.0", "green", warning="v0.9.0 crashed when it was live: its container ended.")
    api.gives("GET", "/v1/apps", {"apps": [answers.app(standby=warned)]})
    async with panel_of(api) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: "Roll shop back?" in shown(pilot))

        assert "v0.9.0 crashed when it was live: its container ended." in shown(pilot)


async def test_the_question_about_a_dismissed_update_names_no_key_that_shows_nothing(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps", {"apps": [answers.app(update=None)]})
    api.gives("POST", "/v1/apps/shop/update/check", answers.update())
    async with panel_of(api) as pilot:
        await pilot.press("u")
        await until(pilot, lambda: "Proceed with update?" in shown(pilot))

        assert "changes." in shown(pilot)
        assert "[D] on the dashboard" not in shown(pilot)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([], "No changes are listed: the source names none"),
        (answers.CHANGES[:1], "1 change. [D] on the dashboard lists it."),
        (answers.CHANGES, "4 changes. [D] on the dashboard lists them."),
    ],
)
async def test_the_question_says_how_many_changes_there_are_or_why_none(
    api: FakeApi, changes: list[dict[str, Any]], says: str
) -> None:
    shop = answers.app(update=answers.update(changes=changes))
    api.gives("GET", "/v1/apps", {"apps": [shop]})
    async with panel_of(api) as pilot:
        await asked_about_the_update(pilot)

        assert says in shown(pilot)
        assert "0 changes" not in shown(pilot)
