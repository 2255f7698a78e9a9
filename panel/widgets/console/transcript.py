"""What was typed and answered, the newest at the bottom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from border.plain import plain
from panel.console.answer import Answer
from panel.session.turns import Turn

MOST_SHOWN = 40
"""Turns. All that are kept can be typed again."""
UNANSWERED = "No answer was kept: the panel was restarted before it came."


@dataclass
class Exchange:
    """One line and its answer. `waiting` is shown until the answer is there."""

    line: str
    waiting: str = ""
    answer: Answer | None = None

    def text(self) -> Text:
        shown = Text.assemble(("› ", "bold"), (self.line, "bold"))
        if self.answer is None:
            return shown.append(f"\n  {self.waiting}" if self.waiting else "", "dim")
        if self.answer.says:
            shown.append(f"\n{_indented(self.answer.says)}", "red" if self.answer.failed else "")
        for number, line in enumerate(self.answer.suggestions):
            shown.append(f"\n  → {line}", "cyan").append("  [Tab] takes it" if number == 0 else "", "dim")
        if self.answer.command_line:
            shown.append(f"\n  $ {self.answer.command_line}", "dim")
        return shown


class Transcript(VerticalScroll):
    """It follows what is new; scrolled up, it stays."""

    DEFAULT_CSS = """
    Transcript { height: auto; max-height: 18; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self) -> None:
        super().__init__(can_focus=False)
        self._exchanges: list[Exchange] = []
        self._body = Static(id="said-here")

    def compose(self) -> Iterable[Static]:
        yield self._body

    def add(self, exchange: Exchange) -> None:
        self._exchanges = [*self._exchanges, exchange][-MOST_SHOWN:]
        self.draw()

    def restore(self, turns: Iterable[Turn]) -> None:
        """Put the turns of before above what was said since."""
        before = [Exchange(plain(one.user_input), answer=_kept(one)) for one in turns]
        self._exchanges = [*before, *self._exchanges][-MOST_SHOWN:]
        self.draw()

    def draw(self) -> None:
        was_at_end = self.is_vertical_scroll_end
        self._body.update(Text("\n").join(one.text() for one in self._exchanges))
        if was_at_end:
            self.call_after_refresh(self.scroll_end, animate=False)


def _kept(turn: Turn) -> Answer:
    says, _, command_line = plain(turn.agent_response).rpartition("\n$ ")
    if not turn.agent_response:
        return Answer(UNANSWERED)
    return Answer(says, command_line) if says else Answer(command_line)


def _indented(says: str) -> str:
    return "\n".join(f"  {line}" for line in says.split("\n"))
