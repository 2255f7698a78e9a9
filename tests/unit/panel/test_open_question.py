"""An open question survives the panel's own update, if it would be the same question still."""

from __future__ import annotations

from typing import Any

import pytest

from panel.app import PanelApp
from panel.client.model import App
from panel.screens.confirm import ConfirmScreen
from panel.screens.details import DetailsScreen
from panel.screens.open_question import is_valid
from panel.screens.question import QuestionScreen
from panel.session.state import OpenQuestion, SessionState
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.test_update_journey import Orchestrator, panel_of, until

STANDBY = answers.slot("v0.9.0", "green")
SHOP = answers.app(update=answers.update(), standby=STANDBY)
OF_UPDATE = OpenQuestion(kind="update", app="shop", about="9be1c3d")
OF_DETAILS = OpenQuestion(kind="details", app="shop", about="9be1c3d")
OF_ROLLBACK = OpenQuestion(kind="rollback", app="shop", about="shop-green")
OF_PAUSE = OpenQuestion(kind="pause", app="shop", about="")
OF_RESUME = OpenQuestion(kind="resume", app="shop", about="")
OF_CANCEL = OpenQuestion(kind="cancel", app="shop", about="d1")
BUILDS = {"deployment": {"id": "d1", "state": "running", "step": "build"}}


class Following(PanelApp):
    """Another process, which goes on with a session."""

    def __init__(self, state: SessionState, shop: dict[str, Any]) -> None:
        super().__init__(Orchestrator(answers.app("bar"), shop), clock=lambda: NOW)
        self._before = state

    def on_ready(self) -> None:
        self.begin(self._before)


@pytest.mark.parametrize(
    ("key", "question", "screen", "shop"),
    [
        ("u", OF_UPDATE, ConfirmScreen, SHOP),
        ("d", OF_DETAILS, DetailsScreen, SHOP),
        ("b", OF_ROLLBACK, QuestionScreen, SHOP),
        ("w", OF_PAUSE, QuestionScreen, SHOP),
        ("w", OF_RESUME, QuestionScreen, SHOP | {"health": "paused"}),
        ("c", OF_CANCEL, QuestionScreen, SHOP | BUILDS),
    ],
)
async def test_the_question_is_open_in_the_next_process(
    key: str, question: OpenQuestion, screen: type, shop: dict[str, Any]
) -> None:
    async with panel_of(Orchestrator(answers.app("bar"), shop)) as (panel, pilot):
        panel._dashboard.select("shop")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(panel.screen, screen))
        state = panel.state
    assert state.question == question

    following = Following(state, shop)
    async with following.run_test(size=(110, 40)) as pilot:
        await until(pilot, lambda: isinstance(following.screen, screen))
        assert "shop" in shown(pilot).lower()


@pytest.mark.parametrize(
    ("question", "app", "valid"),
    [
        (OF_UPDATE, SHOP, True),
        (OF_UPDATE, answers.app(), False),
        (OF_UPDATE, answers.app(update=answers.update(revision="another")), False),
        (OF_UPDATE, SHOP | {"deployment": {"id": "d1", "state": "running", "step": None}}, False),
        (OF_UPDATE, answers.app("till", update=answers.update()), False),
        (OF_DETAILS, SHOP | {"deployment": {"id": "d1", "state": "running", "step": None}}, True),
        (OF_ROLLBACK, SHOP, True),
        (OF_ROLLBACK, answers.app(standby=STANDBY | {"container": "another"}), False),
        (OF_PAUSE, SHOP, True),
        (OF_PAUSE, SHOP | {"health": "paused"}, False),
        (OF_PAUSE, answers.app(active=None, health="none"), False),
        (OF_RESUME, SHOP | {"health": "paused"}, True),
        (OF_RESUME, SHOP, False),
        (OF_CANCEL, SHOP | BUILDS, True),
        (OF_CANCEL, SHOP, False),
        (OF_CANCEL, SHOP | {"deployment": {"id": "d2", "state": "running", "step": "build"}}, False),
        (OF_CANCEL, SHOP | {"deployment": {"id": "d1", "state": "running", "step": "switch"}}, False),
        (OpenQuestion(kind="eclipse", app="shop", about="9be1c3d"), SHOP, False),
    ],
)
def test_what_would_be_another_question_is_not_asked(question: OpenQuestion, app: dict[str, Any], valid: bool) -> None:
    assert is_valid(question, [App.model_validate(app)]) is valid


async def test_without_a_question_none_is_saved() -> None:
    async with panel_of(Orchestrator(SHOP)) as (panel, _pilot):
        assert panel.state.question is None
        assert SessionState.model_validate_json(panel.state.model_dump_json()) == panel.state
