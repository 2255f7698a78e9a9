"""The progress of a deployment is shown in the end, although the orchestrator does not answer for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from textual.notifications import Notification

from panel.app import PanelApp
from panel.client.errors import ClientError, NotFound, Refused, Unreachable
from panel.client.events import Event
from panel.client.model import App, Apps, Deployment
from panel.screens.progress import ProgressScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events
from tests.support.fakes.client import OneStream
from tests.support.screen import shown

SOON = 0.01
LONG = 10.0
AWAY = Unreachable("Nothing answers at http://127.0.0.1:1.", "Start the orchestrator.")
EVENTS = Events().add("started", "d42").steps("d42", "build").add("live", "d42").add("ended", "d42").all


class Interrupted(OneStream):
    """Fails the first requests for `fails`: the stream of events at once or after some, or the result.

    Meanwhile nothing else is answered either, unless it fails `alone`.
    """

    def __init__(self, fails: str, *errors: ClientError, alone: bool = False) -> None:
        super().__init__("http://127.0.0.1:1", "co_secret")
        self._fails = fails
        self._alone = alone
        self._errors = list(errors)
        self.asked: list[str] = []

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if what == self._fails and self._errors:
            raise self._errors.pop(0)
        if what == "result" and self._errors and not self._alone and self._fails in self.asked:
            raise self._errors[0]

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        if not deployment:
            await asyncio.Event().wait()
        self._answer("stream")
        for event in EVENTS:
            if event["id"] > (after or 0):
                self._answer(f"event {event['kind']}")
                yield Event.model_validate(event)

    async def status(self) -> Apps:
        return Apps.model_validate({"apps": [answers.app()]})

    async def app(self, name: str) -> App:
        return App.model_validate(answers.app())

    async def deployment(self, deployment: str) -> Deployment:
        self._answer("result")
        return Deployment.model_validate(answers.deployment(version="v1.1.0"))


async def follow(client: Interrupted, says: str) -> tuple[str, list[Notification]]:
    """What the screen shows when it says this, or after a long time, and the notices meanwhile."""
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = ProgressScreen(client, "shop", "d42", app.clock)
        screen.AGAIN_S = SOON
        await app.push_screen(screen)
        notices: dict[str, Notification] = {}
        async with asyncio.timeout(LONG):
            while says not in shown(pilot) and says not in str([one.message for one in notices.values()]):
                await pilot.pause(SOON)
                notices |= {one.identity: one for one in app._notifications}
        return shown(pilot), list(notices.values())


@pytest.mark.parametrize("fails", ["stream", "event step", "event live", "result"])
@pytest.mark.parametrize("error", [AWAY, Refused("The orchestrator is starting.", "Wait.")])
async def test_it_is_shown_when_the_orchestrator_answers_again(fails: str, error: ClientError) -> None:
    client = Interrupted(fails, error, error, error)

    screen, notices = await follow(client, "Successfully updated to v1.1.0")

    assert "UPDATE COMPLETE" in screen
    assert client.asked.count(fails) > 3
    assert [one.message for one in notices].count(str(error)) == 1, "told once"


async def test_what_does_not_exist_is_asked_for_once() -> None:
    client = Interrupted("stream", *[NotFound("There is no deployment d42.")] * 9)

    await follow(client, "There is no deployment d42.")

    assert client.asked == ["result", "stream"]


async def test_it_is_shown_while_the_token_may_have_no_further_stream() -> None:
    client = Interrupted("stream", *[Refused("Too many streams are open.", "Close some of them.")] * 10_000, alone=True)

    screen, _ = await follow(client, "Successfully updated to v1.1.0")

    assert "UPDATE COMPLETE" in screen
    assert "event" not in "".join(client.asked)


async def test_the_start_page_asks_again_for_a_stream_that_it_could_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.app.REFRESH_S", SOON)
    asked: list[int | None] = []

    class Full(Interrupted):
        async def events(
            self, after: int | None = None, deployment: str = "", recent: int = 0
        ) -> AsyncGenerator[Event, None]:
            asked.append(after)
            if len(asked) == 3:
                yield Event.model_validate(EVENTS[0])
            raise Refused("Too many streams are open.", "Close some of them.")

    app = PanelApp(Full(""), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot, asyncio.timeout(LONG):
        while len(asked) < 5:
            await pilot.pause(SOON)

    assert asked[:5] == [None, None, None, EVENTS[0]["id"], EVENTS[0]["id"]], "after the last event, none twice"
