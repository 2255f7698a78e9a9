"""A plot: its name with the newest values, and its lines over the last minutes, with a mark at each switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from border.plain import one_line
from panel.text.shortened import shortened
from panel.widgets.plots.braille import BLANK, drawn

STYLES = ("first", "second", "third")
MARK = "┆"
"""A switch, where no line is."""


@dataclass(frozen=True)
class Series:
    """A line of the plot. None stands for a moment of which nothing is known."""

    name: str
    values: tuple[float | None, ...]

    @property
    def newest(self) -> float | None:
        return self.values[-1] if self.values else None


@dataclass(frozen=True)
class Mark:
    """Something that happened, at this share of the time that is shown: 0 is its beginning, 1 is now. `letter` stands
    at the top whatever is there, and `says` beside it if there is room."""

    at: float
    says: str
    letter: str = MARK


@dataclass(frozen=True)
class Figure:
    """What a plot shows. `unit` makes a value text; `span` says how far back the plot goes: "10 min"."""

    name: str
    series: tuple[Series, ...]
    unit: Callable[[float | None], str]
    span: str
    marks: tuple[Mark, ...] = ()

    @property
    def most(self) -> float:
        return max((one for each in self.series for one in each.values if one is not None), default=0.0)


class Plot(Widget):
    """The first line names the figure and its newest values, the last one says from when to when it goes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{one}" for one in (*STYLES, "name", "axis", "mark")}
    DEFAULT_CSS = """
    Plot { height: 1fr; min-height: 4; max-height: 12; padding: 0 1; }
    Plot > .plot--name { text-style: bold; }
    Plot > .plot--axis { color: $text-muted; }
    Plot > .plot--mark { color: $text-warning; }
    Plot > .plot--first { color: $text-primary; }
    Plot > .plot--second { color: $text-warning; }
    Plot > .plot--third { color: $text-error; }
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._figure = Figure(name, (), str, "")
        self._lines: list[Strip] = []
        self._drawn_for = Size(0, 0)
        """The size that the lines have. A picture may be painted with another one before its Resize comes."""

    def show(self, figure: Figure) -> None:
        if figure != self._figure:
            self._figure = figure
            self._lines = []
            self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines = []

    def render_line(self, y: int) -> Strip:
        if not self._lines or self._drawn_for != self.content_size:
            self._drawn_for = self.content_size
            self._lines = self._drawn(self.content_size.width, self.content_size.height)
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.content_size.width, self.rich_style)

    def _drawn(self, width: int, height: int) -> list[Strip]:
        rows = height - 2
        if width < 8 or rows < 1:
            return [self._titled(width)]
        return [self._titled(width), *self._plotted(width, rows), self._axis(width)]

    def _titled(self, width: int) -> Strip:
        figure, base = self._figure, self.rich_style
        pieces = [Segment(figure.name, base + self._of("name"))]
        for style, one in zip(STYLES, figure.series, strict=False):
            name = f"{one.name} " if one.name else ""
            pieces += [Segment("  ", base), Segment(f"{name}{figure.unit(one.newest)}", base + self._of(style))]
        if figure.most:
            pieces.append(Segment(f"  most {figure.unit(figure.most)}", base + self._of("axis")))
        return Strip(pieces).adjust_cell_length(width, base)

    def _plotted(self, width: int, rows: int) -> list[Strip]:
        figure, base = self._figure, self.rich_style
        cells = [[(" ", base)] * width for _ in range(rows)]
        for style, one in zip(STYLES, figure.series, strict=False):
            bits = drawn(one.values, width, rows, figure.most)
            for y, row_of_bits in enumerate(bits):
                for x, bit in enumerate(row_of_bits):
                    if bit:
                        cells[y][x] = (chr(BLANK | bit), base + self._of(style))
        self._mark(cells, width)
        return [_joined(row) for row in cells]

    def _mark(self, cells: list[list[tuple[str, Style]]], width: int) -> None:
        """Letters stand over the lines; what a mark says stands only where nothing is. The newest one chooses first."""
        top, style = cells[0], self.rich_style + self._of("mark")
        columns = [min(width - 1, max(0, round(mark.at * (width - 1)))) for mark in self._figure.marks]
        for mark, column in zip(self._figure.marks, columns, strict=True):
            top[column] = (mark.letter[:1] or MARK, style)
            for row in cells[1:]:
                if row[column][0] == " ":
                    row[column] = (MARK, style)
        for mark, column in reversed(list(zip(self._figure.marks, columns, strict=True))):
            says = shortened(one_line(mark.says), width // 3)
            for start in (column + 2, column - 1 - len(says)):
                around = top[max(0, start - 1) : start + len(says) + 1]
                if start >= 0 and start + len(says) <= width and all(letter == " " for letter, _ in around):
                    top[start : start + len(says)] = [(letter, style) for letter in says]
                    break

    def _axis(self, width: int) -> Strip:
        left, right = f"{self._figure.span} ago" if self._figure.span else "", "now" if self._figure.span else ""
        text = left + " " * max(1, width - len(left) - len(right)) + right
        return Strip([Segment(text, self.rich_style + self._of("axis"))]).adjust_cell_length(width, self.rich_style)

    def _of(self, name: str) -> Style:
        found = self.get_component_rich_style(f"plot--{name}", partial=True)
        return Style(color=found.color, bold=found.bold)


def _joined(row: Sequence[tuple[str, Style]]) -> Strip:
    """One segment for each run of cells that look the same."""
    pieces: list[Segment] = []
    for letter, style in row:
        if pieces and pieces[-1].style == style:
            pieces[-1] = Segment(pieces[-1].text + letter, style)
        else:
            pieces.append(Segment(letter, style))
    return Strip(pieces)
