"""A letter of the panel works with Shift and with Caps Lock, too, unless it has a meaning of its own then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.binding import Binding, BindingType

from panel.app import PanelApp
from panel.screens.audit import AuditScreen
from panel.screens.confirm import ConfirmScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.details import DetailsScreen
from panel.screens.help import HelpScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen

WITH_KEYS = (
    PanelApp, AuditScreen, ConfirmScreen, DashboardScreen, DetailsScreen, HelpScreen, ProgressScreen, QuestionScreen,
)  # fmt: skip
OWN_MEANING: dict[tuple[type, str], tuple[str, str]] = {(DashboardScreen, "u"): ("update", "force_check")}


def letters(bindings: list[BindingType]) -> Iterator[tuple[str, str]]:
    """Each letter with its action."""
    for binding in bindings:
        assert isinstance(binding, Binding)
        yield from ((key, binding.action) for key in binding.key.split(",") if len(key) == 1)


@pytest.mark.parametrize("kind", WITH_KEYS)
def test_each_letter_works_in_both_cases(kind: type) -> None:
    actions = dict(letters(kind.BINDINGS))  # type: ignore[attr-defined]

    for letter, action in actions.items():
        lower, upper = OWN_MEANING.get((kind, letter.lower()), (action, action))
        assert (actions.get(letter.lower()), actions.get(letter.upper())) == (lower, upper)
