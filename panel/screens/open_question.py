"""The question that is open when a session moves to another process: it is asked there again, if it is still valid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from textual.screen import Screen

from panel.client.model import App
from panel.screens.confirm import ConfirmScreen
from panel.screens.details import DetailsScreen
from panel.screens.interruptions import CANCEL, PAUSE, RESUME, is_possible
from panel.screens.question import QuestionScreen
from panel.session.state import OpenQuestion

UPDATE, DETAILS, ROLL_BACK = "update", "details", "rollback"
"""The kinds, which are the names of the dashboard's actions that ask them."""


def open_question(screens: Sequence[Screen[Any]]) -> OpenQuestion | None:
    """Of the screens, the lowest first, the question on top. None without one, or if it can be asked only where it is,
    such as that before a cancel on the screen of its progress."""
    for screen in reversed(screens):
        match screen:
            case ConfirmScreen():
                return OpenQuestion(kind=UPDATE, app=screen.asks_about, about=screen.revision)
            case DetailsScreen():
                return OpenQuestion(kind=DETAILS, app=screen.app_name, about=screen.revision)
            case QuestionScreen(survives=OpenQuestion() as question):
                return question
            case QuestionScreen():
                return None
    return None


def is_valid(question: OpenQuestion, apps: Iterable[App]) -> bool:
    """Whether it would be the same question: the update is offered still, the standby or the deployment is the same."""
    app = next((one for one in apps if one.name == question.app), None)
    if app is None:
        return False
    if question.kind == ROLL_BACK:
        return app.standby is not None and app.standby.container == question.about
    if question.kind in (PAUSE, RESUME):
        return is_possible(question.kind, app)
    if question.kind == CANCEL:
        return app.deployment is not None and app.deployment.id == question.about and is_possible(CANCEL, app)
    is_offered = app.update is not None and app.update.revision == question.about
    return question.kind in (UPDATE, DETAILS) and is_offered and (question.kind == DETAILS or app.deployment is None)
