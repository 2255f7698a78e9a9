"""A session that goes on in another release says what brought that release: an update, a rollback, a restore."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.model import App, Deployment
from panel.session.state import SessionState
from panel.text.resumed import resumed
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi

NOW, OTHER = "v1.2.2", "v1.2.3"
WITHIN_S = 20.0


class Continued(PanelApp):
    """Goes on with a session of another release, as the web server has it done."""

    def on_ready(self) -> None:
        self.begin(SessionState(release=OTHER, selected="panel"))


def record(kind: str, version: str = NOW, state: str = "live") -> dict[str, Any]:
    return answers.deployment(kind=kind, version=version, state=state)


@pytest.mark.parametrize(
    ("kind", "health", "says"),
    [
        ("deploy", "healthy", "✓ Resumed after update to v1.2.2"),
        ("rollback", "healthy", "✓ Resumed after rollback to v1.2.2"),
        ("restore", "healthy", "✓ Resumed after restore to v1.2.2"),
        ("eclipse", "healthy", "Resumed in v1.2.2; the session was begun in v1.2.3."),
        ("deploy", "standby", "! Resumed in the standby, v1.2.2: the active release does not answer."),
    ],
)
def test_it_says_what_happened(kind: str, health: str, says: str) -> None:
    panel = App.model_validate(answers.app("panel", health=health))

    assert resumed(OTHER, NOW, panel, Deployment.model_validate(record(kind))) == says


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    assert resumed(OTHER, NOW, None, None) == "Resumed in v1.2.2; the session was begun in v1.2.3."
    assert resumed("", NOW, None, None) == "Resumed in v1.2.2; the session was begun in another release."


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ([record("rollback"), record("deploy", OTHER, "rolled_back"), record("deploy")], "after rollback to v1.2.2"),
        ([record("deploy", "v1.3.0", "running"), record("deploy")], "after update to v1.2.2"),
        ([record("deploy", state="running"), record("deploy", OTHER)], "after update to v1.2.2"),
        ([record("deploy", state="failed"), record("deploy", OTHER)], "Resumed in v1.2.2"),
        (None, "Resumed in v1.2.2"),
    ],
)
async def test_what_brought_the_release_is_asked_of_the_history(
    history: list[dict[str, Any]] | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANGEOVER_VERSION", NOW)
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app("panel")]})
        if history is not None:
            api.gives("GET", "/v1/apps/panel/deployments", {"deployments": history, "before": None})
        async with Client(api.url, "co_secret") as client:
            app = Continued(client)
            async with app.run_test() as pilot, asyncio.timeout(WITHIN_S):
                while not any("Resumed" in one.message for one in app._notifications):
                    await pilot.pause(0.01)
                (told,) = (one.message for one in app._notifications)

    assert says in told
