"""The panel itself was updated: what is new, and three seconds until this session moves to it."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line

COUNTDOWN_S = 3


class ReplacedScreen(ModalScreen[bool]):
    """Its result is True when the session moves now, and False when the person stays. `says`: how the deployment ended
    that made `version` live; `title`: the same in a word."""

    BINDINGS = [
        Binding("enter", "answer(True)", "Restart now", tooltip="Move to the new release now"),
        Binding("escape", "answer(False)", "Continue", tooltip="Stay with the old release until drain.timeout is over"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    COUNTS_EVERY_S = 1.0

    def __init__(self, title: str, version: str, says: RenderableType) -> None:
        super().__init__()
        self._title = title
        self._version = version
        self._says = says
        self._left_s = COUNTDOWN_S

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -complete") as dialog:
            dialog.border_title = self._title
            yield Static(self._says)
            yield Static(self._countdown(), id="countdown", classes="question")

    def on_mount(self) -> None:
        self.set_interval(self.COUNTS_EVERY_S, self._count)

    def _countdown(self) -> Text:
        seconds = "second" if self._left_s == 1 else "seconds"
        return Text.assemble(
            f"Moving to {one_line(self._version)} in {self._left_s} {seconds}.\n",
            ("[Enter] Restart now | [Esc] Continue", "bold"),
        )

    def _count(self) -> None:
        self._left_s -= 1
        if self._left_s <= 0:
            self.dismiss(True)
            return
        self.query_one("#countdown", Static).update(self._countdown())

    def action_answer(self, move: bool) -> None:
        self.dismiss(move)
