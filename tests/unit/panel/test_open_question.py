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


class Following(PanelApp):
    """Another process, which goes on with a session."""

    def __init__(self, state: SessionState) -> None:
        super().__init__(Orchestrator(answers.app("bar"), SHOP), clock=lambda: NOW)
        self._before = state

    def on_ready(self) -> None:
        self.begin(self._before)


@pytest.mark.parametrize(
    ("key", "question", "screen"),
    [("u", OF_UPDATE, ConfirmScreen), ("d", OF_DETAILS, DetailsScreen), ("b", OF_ROLLBACK, QuestionScreen)],
)
async def test_the_question_is_open_in_the_next_process(key: str, question: OpenQuestion, screen: type) -> None:
    async with panel_of(Orchestrator(answers.app("bar"), SHOP)) as (panel, pilot):
        panel._dashboard.select("shop")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(panel.screen, screen))
        state = panel.state
    assert state.question == question

    following = Following(state)
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
        (OpenQuestion(kind="eclipse", app="shop", about="9be1c3d"), SHOP, False),
    ],
)
def test_what_would_be_another_question_is_not_asked(question: OpenQuestion, app: dict[str, Any], valid: bool) -> None:
    assert is_valid(question, [App.model_validate(app)]) is valid


async def test_without_a_question_none_is_saved() -> None:
    async with panel_of(Orchestrator(SHOP)) as (panel, _pilot):
        assert panel.state.question is None
        assert SessionState.model_validate_json(panel.state.model_dump_json()) == panel.state
