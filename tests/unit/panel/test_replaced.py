"""When the panel itself was updated, each session says what is new and counts down to its move."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from panel.client.errors import NotFound
from panel.client.events import Draining, Event
from panel.client.model import Deployments
from panel.screens.dashboard import DashboardScreen
from panel.screens.replaced import ReplacedScreen
from panel.session.state import SessionState
from panel.session.store import Store
from panel.web.session_app import SessionApp
from panel.web.successor import stays_until, successor
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, before
from tests.support.screen import shown
from tests.unit.panel.test_update_journey import Orchestrator, messages, until

MINE, NEXT = "d41", "d42"


def record(id: str, slot: str, live: bool = True, **more: Any) -> dict[str, Any]:
    state = "live" if live else "running"
    return answers.deployment(id, state, app="panel", slot=slot, live_at=before(seconds=1) if live else None, **more)


UPDATED = [record(NEXT, "active", version="v1.3.0"), record(MINE, "standby", version="v1.2.3")]
PAUSED = [record(NEXT, "", live=False, version="v1.3.0"), record(MINE, "active", version="v1.2.3")]


class WithHistory(Orchestrator):
    records: list[dict[str, Any]] | None = None

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        if self.records is None:
            raise NotFound(f"There is no app {app}.")
        return Deployments.model_validate({"deployments": self.records})


class NoStore(Store):
    def __init__(self) -> None:
        self.saved: list[SessionState] = []

    def save(self, session: str, state: SessionState) -> None:
        self.saved.append(state)


class Told(SessionApp):
    """Without a server: `told` has what it would be told."""

    def __init__(self, client: WithHistory) -> None:
        super().__init__(NoStore(), "http://127.0.0.1:1")
        self.client = client
        self._dashboard._client = client
        self._session = "s1"
        self.clock = lambda: NOW
        self.told: list[str] = []

    def _tell(self, what: str) -> None:
        self.told.append(what)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_DEPLOYMENT", MINE)
    monkeypatch.setenv("CHANGEOVER_VERSION", "v1.2.3")


def app_of(records: list[dict[str, Any]] | None) -> Told:
    client = WithHistory(answers.app("panel"))
    client.records = records
    return Told(client)


@pytest.mark.parametrize("records", [PAUSED, None, []], ids=["paused", "not known", "none"])
async def test_where_nothing_else_is_live_the_page_moves_at_once(records: list[dict[str, Any]] | None) -> None:
    panel = app_of(records)
    async with panel.run_test() as pilot:
        panel.begin()
        panel._prepare_to_move()
        await until(pilot, lambda: "moves" in panel.told)

    assert "counts" not in panel.told


async def test_enter_moves_now_and_saves_before() -> None:
    panel = app_of(UPDATED)
    async with panel.run_test() as pilot:
        panel.begin()
        panel._prepare_to_move()
        await until(pilot, lambda: isinstance(panel.screen, ReplacedScreen))
        picture = shown(pilot)
        assert "Successfully updated to v1.3.0" in picture
        assert "a cart that survives a restart" in picture
        assert "Moving to v1.3.0 in 3 seconds." in picture
        assert "moves" not in panel.told
        store = panel._store
        assert isinstance(store, NoStore)
        saved = len(store.saved)
        await pilot.press("enter")
        await until(pilot, lambda: "moves" in panel.told)
        assert len(store.saved) == saved + 1


async def test_the_countdown_ends_in_a_move() -> None:
    panel = app_of(UPDATED)
    async with panel.run_test() as pilot:
        panel.begin()
        panel._prepare_to_move()
        await until(pilot, lambda: isinstance(panel.screen, ReplacedScreen))
        screen = panel.screen
        assert isinstance(screen, ReplacedScreen)
        screen._left_s = 1
        screen._count()
        await until(pilot, lambda: "moves" in panel.told)


async def test_escape_stays_and_says_until_when() -> None:
    panel = app_of(UPDATED)
    async with panel.run_test() as pilot:
        panel.begin()
        panel._take(drain(waited=1.0, limit=10.0))
        panel._prepare_to_move()
        await until(pilot, lambda: isinstance(panel.screen, ReplacedScreen))
        await pilot.press("escape")
        says = (
            "You stay with v1.2.3 for at most 9 s (drain.timeout), then this page moves to v1.3.0. Ctrl+R moves it now."
        )
        await until(pilot, lambda: any(one.startswith(says) for one in messages(panel)))
        assert isinstance(panel.screen, DashboardScreen)
        assert "moves" not in panel.told


def drain(**fields: Any) -> Event:
    return Event(id=1, at=NOW, kind="draining", app="panel", fields={"colour": "blue"} | fields)


def test_how_long_one_can_stay_shrinks() -> None:
    told = Draining(limit=10.0, waited=1.0)

    assert stays_until(None, None, NOW) == "until drain.timeout is over"
    assert stays_until(told, NOW, NOW + timedelta(seconds=4)) == "for at most 5 s (drain.timeout)"
    assert stays_until(told, NOW, NOW + timedelta(seconds=40)) == "for at most 0 s (drain.timeout)"


async def test_a_rollback_of_the_panel_is_not_called_an_update() -> None:
    client = WithHistory()
    client.records = [record("d43", "", kind="rollback", version="v1.2.2"), record(MINE, "standby")]
    found = await successor(client)

    assert found is not None
    assert (found.title, found.version) == ("THE PANEL WAS REPLACED", "v1.2.2")
