"""The progress of a restore or a rollback ends with its own result."""

from __future__ import annotations

import time

import pytest

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.progress import ProgressScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown


@pytest.mark.parametrize(
    ("kind", "event", "says", "title"),
    [
        ("restore", "restored", "Restored: shop v1.0.0", "RESTORE COMPLETE"),
        ("rollback", "live", "Rolled back: shop v1.0.0", "ROLLBACK COMPLETE"),
        ("deploy", "live", "Successfully updated to v1.0.0", "UPDATE COMPLETE"),
    ],
)
async def test_it_says_what_was_done(kind: str, event: str, says: str, title: str) -> None:
    with FakeApi() as api:
        api.events = Events().add("started", "d42").steps("d42", "backup", "migrate").add(event, "d42").all
        api.gives("GET", "/v1/deployments/d42", answers.deployment(kind=kind, version="v1.0.0"))
        api.gives("GET", "/v1/apps/shop", answers.app())
        api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
        async with Client(api.url, "co_secret") as client:
            app = PanelApp(client, clock=lambda: NOW)
            async with app.run_test(size=(120, 40)) as pilot:
                await app.push_screen(ProgressScreen(client, "shop", "d42", app.clock))
                deadline = time.monotonic() + 10
                while not (title in shown(pilot) and says in shown(pilot)):
                    assert time.monotonic() < deadline, shown(pilot)
                    await pilot.pause(0.01)


@pytest.mark.parametrize(
    ("step", "line", "says", "title"),
    [
        ("fetch", "! v1 is not newer than v2, which it replaces.", "✓ v1.0.0 is live", "DEPLOYMENT COMPLETE"),
        ("fetch", "https://git.test/shop at v1", "✓ Successfully updated to v1.0.0", "UPDATE COMPLETE"),
        ("build", "! a line of a build", "✓ Successfully updated to v1.0.0", "UPDATE COMPLETE"),
    ],
    ids=["older", "newer", "output of a build"],
)
async def test_an_older_release_is_not_called_an_update(step: str, line: str, says: str, title: str) -> None:
    with FakeApi() as api:
        events = (
            Events().add("started", "d42").add("step", "d42", step=step, state="running").add("line", "d42", line=line)
        )
        api.events = events.add("step", "d42", step=step, state="done").add("live", "d42").all
        api.gives("GET", "/v1/deployments/d42", answers.deployment(version="v1.0.0"))
        api.gives("GET", "/v1/apps/shop", answers.app())
        api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
        async with Client(api.url, "co_secret") as client:
            app = PanelApp(client, clock=lambda: NOW)
            async with app.run_test(size=(120, 40)) as pilot:
                await app.push_screen(ProgressScreen(client, "shop", "d42", app.clock))
                deadline = time.monotonic() + 10
                while not (title in shown(pilot) and says in shown(pilot)):
                    assert time.monotonic() < deadline, shown(pilot)
                    await pilot.pause(0.01)
                assert (line in shown(pilot)) is (title == "DEPLOYMENT COMPLETE")
