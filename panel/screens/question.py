"""A question before something that cannot be taken back at once. The answer is No unless the person presses Y."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line


class QuestionScreen(ModalScreen[bool]):
    """Its result is True for yes. Enter and Escape mean no."""

    BINDINGS = [
        Binding("y,Y", "answer(True)", "Yes"),
        Binding("n,N,enter,escape", "answer(False)", "No"),
    ]

    def __init__(self, title: str, consequences: tuple[str, ...], question: str) -> None:
        super().__init__()
        self._title = title
        self._consequences = consequences
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Text(one_line(self._title))
            said = (Text(one_line(sentence)) for sentence in self._consequences)
            yield Static(Group(*said, Text(), Text(f"{one_line(self._question)} [y/N]", "bold")))

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
