"""One of a few values: all of them are seen, and the chosen one has a mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.events import Blur, Click, Focus
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

CHOSEN, NOT_CHOSEN = "●", "○"
CURSOR = "▸"
NAME_CELLS, INDENT, GAP = 11, 2, 3


@dataclass(frozen=True)
class Place:
    """Where a value stands: its number, its line, and its cells there."""

    number: int
    line: int
    begins: int
    ends: int


def places(values: Sequence[str], width: int) -> list[Place]:
    """The values beside each other, behind the name; below it, a line each, where there is no room for that."""
    wide = [cell_len(f"{NOT_CHOSEN} {one}") for one in values]
    begins = INDENT + NAME_CELLS
    if begins + sum(wide) + GAP * (len(values) - 1) > width:
        return [Place(at, at + 1, 2 * INDENT, 2 * INDENT + one) for at, one in enumerate(wide)]
    found = []
    for at, one in enumerate(wide):
        found.append(Place(at, 0, begins, begins + one))
        begins += one + GAP
    return found


class Choice(Widget, can_focus=True):
    """`values` in their order. Left, right, Enter, Space and a click choose another one, which is told at once."""

    class Chosen(Message):
        """The person has chosen another value: that of this number."""

        def __init__(self, choice: Choice, number: int) -> None:
            super().__init__()
            self.choice = choice
            self.number = number

        @property
        def control(self) -> Choice:
            return self.choice

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Before", show=False),
        Binding("right,enter,space", "turn(1)", "Next", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: auto; }
    Choice:focus { background: $boost; }
    """

    def __init__(self, name: str, values: Sequence[str], chosen: int, id: str) -> None:
        super().__init__(id=id)
        self._called, self._values, self._chosen = name, tuple(values), chosen

    @property
    def chosen(self) -> int:
        return self._chosen

    def action_turn(self, by: int) -> None:
        """To the next value; from the last one to the first."""
        self._choose((self._chosen + by) % len(self._values))

    def on_click(self, event: Click) -> None:
        found = (one for one in self._places if one.line == event.y and one.begins <= event.x < one.ends)
        if place := next(found, None):
            self._choose(place.number)

    def on_focus(self, _event: Focus) -> None:
        self.refresh()

    def on_blur(self, _event: Blur) -> None:
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + max(one.line for one in places(self._values, width))

    def render(self) -> RenderResult:
        return Text("\n").join(self._lines())

    def _lines(self) -> Iterator[Text]:
        line = Text(f"{CURSOR if self.has_focus else ' '} {self._called}", no_wrap=True)
        for place in self._places:
            if place.line:
                yield line
                line = Text(no_wrap=True)
            is_chosen = place.number == self._chosen
            line.append(" " * (place.begins - line.cell_len))
            mark = CHOSEN if is_chosen else NOT_CHOSEN
            line.append(f"{mark} {self._values[place.number]}", Style(bold=True) if is_chosen else None)
        yield line

    @property
    def _places(self) -> list[Place]:
        return places(self._values, self.content_size.width)

    def _choose(self, number: int) -> None:
        if number != self._chosen:
            self._chosen = number
            self.refresh()
            self.post_message(self.Chosen(self, number))
