"""R and Ctrl+R: the panel's process ends with 42 and goes on with its state; R says what was done."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import pytest

from panel.restart import RESTART, STATE_FD, start_again, state_before
from panel.screens.dashboard import DashboardScreen
from panel.screens.reload import ReloadScreen
from panel.session.state import Reload, SessionState
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.test_update_journey import Orchestrator, messages, panel_of, until


@pytest.mark.parametrize("key", ["r", "ctrl+r"])
async def test_the_process_ends_to_be_started_again_with_what_was_shown(key: str) -> None:
    client = Orchestrator(answers.app(), answers.app("till"))
    async with panel_of(client) as (panel, pilot):
        panel._dashboard.select("till")
        await pilot.press(key)
        await until(pilot, lambda: panel.left is not None)

    assert panel.return_code == RESTART == 42
    assert panel.left is not None
    assert panel.left.selected == "till"
    assert (panel.left.reload is not None) is (key == "r")


async def test_what_cannot_be_saved_is_not_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Orchestrator(answers.app())
    async with panel_of(client) as (panel, pilot):

        async def refused() -> str:
            return "The panel's database does not answer."

        monkeypatch.setattr(panel, "save_state", refused)
        await pilot.press("r")
        await until(pilot, lambda: messages(panel) == ["Not restarted: The panel's database does not answer."])
        assert isinstance(panel.screen, DashboardScreen)
        assert panel.left is None


async def test_a_decision_of_a_moment_ago_is_sent_before_the_process_ends() -> None:
    client = Orchestrator(answers.app())
    sent: list[bool] = []

    async def decide() -> None:
        await asyncio.sleep(0.1)
        sent.append(True)

    async with panel_of(client) as (panel, pilot):
        panel.run_worker(decide(), group="changes")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: panel.left is not None)

    assert sent == [True]


async def test_the_next_process_says_what_the_reload_did() -> None:
    client = Orchestrator(answers.app())
    began = NOW - timedelta(seconds=1)
    async with panel_of(client) as (panel, pilot):
        panel._begun_at = NOW - timedelta(seconds=0.2)
        panel.show_reload(Reload(began_at=began, saved_at=began + timedelta(seconds=0.1)))
        await until(pilot, lambda: isinstance(panel.screen, ReloadScreen))
        picture = " ".join(shown(pilot).split())
        assert "Saving the session's state ✓ 0.1 s" in picture
        assert "Starting another process ✓ 0.7 s" in picture
        assert "Restoring what was shown ✓ 0.2 s" in picture
        assert "✓ Reload complete (1.0 s)" in picture
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(panel.screen, DashboardScreen))
        assert panel.state.reload is None, "the next reload is another one"


def test_in_a_terminal_the_state_passes_from_one_process_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, command: started.append(command))
    state = SessionState(release="v1", selected="till")

    start_again(state)

    assert started == [[sys.executable, *sys.orig_argv[1:]]]
    assert state_before() == state
    assert state_before() is None, "the next start by hand begins anew"


@pytest.mark.parametrize("named", ["nonsense", "999999"])
def test_a_state_that_cannot_be_read_is_none(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(STATE_FD, named)

    assert state_before() is None
