"""What is undone after a step has failed: each undo as it runs, with its mark and its seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.text import Text
from textual.widgets import Static

from border.plain import one_line
from panel.client.events import Undo
from panel.client.model import StepState

DOING = {
    "fetch": "Removing the fetched source",
    "migrate": "Taking the migrations back",
    "start": "Removing the new container",
    "switch": "Switching the traffic back",
}
"""What the undo of a step does, while it has not said what it did. Those of other steps may have nothing to do."""
WIDTH = 52
"""Cells before the mark, where there is room."""
ROOM_FOR_MARK = 10


@dataclass
class OneUndo:
    began: datetime
    told: Undo

    @property
    def is_shown(self) -> bool:
        return bool(self.told.says) or self.told.step in DOING


class UndoList(Static):
    DEFAULT_CSS = """
    UndoList { height: auto; padding: 0 0 1 1; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines_at: Callable[[int], list[Text]] = lambda _width: []

    def show(self, undos: Iterable[OneUndo], now: datetime) -> None:
        shown = [one for one in undos if one.is_shown]
        self._lines_at = lambda width: undo_lines(shown, now, width)
        self.display = bool(shown)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.update(Text("\n").join(self._lines_at(self.content_size.width)))


def undo_lines(undos: Sequence[OneUndo], now: datetime, width: int) -> list[Text]:
    """A heading and a line for each; nothing without any."""
    return [Text("Undoing what was done:", "bold"), *(_line(one, now, width) for one in undos)] if undos else []


def _line(one: OneUndo, now: datetime, width: int) -> Text:
    what = one_line(one.told.says) or DOING.get(one.told.step, one_line(one.told.step))
    says = f"• {what}".ljust(min(WIDTH, width - ROOM_FOR_MARK)) + " "
    if one.told.state == StepState.RUNNING:
        running_s = max(0.0, (now - one.began).total_seconds())
        return Text.assemble((says, "bold"), ("⏳ ", "yellow"), f"({running_s:.0f} s)")
    took = f"{one.told.seconds:.1f} s" if one.told.seconds is not None else ""
    mark, colour = ("✗ ", "red") if one.told.state == StepState.FAILED else ("✓ ", "green3")
    return Text.assemble(says, (mark, colour), took)
