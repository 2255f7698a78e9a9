"""Lines of text in which one can search: matches are marked in place, and can be gone to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

MARK, CURRENT = "reverse", "reverse bold yellow"


class FoundLines(Static):
    """Its parent is the VerticalScroll in which it is read."""

    DEFAULT_CSS = """
    FoundLines { height: auto; }
    """

    def __init__(self, lines: Sequence[Text]) -> None:
        super().__init__(Text("\n").join(lines))
        self._lines = tuple(lines)
        self._wanted = ""
        self._found: tuple[int, ...] = ()
        """The numbers of the lines with a match."""
        self._at = 0

    def find(self, wanted: str) -> str:
        """Mark every match, whatever its case, and go to the first one. Returns how many there are, in words."""
        self._wanted = wanted.casefold()
        self._found = tuple(
            number for number, line in enumerate(self._lines) if wanted and self._wanted in line.plain.casefold()
        )
        self._at = 0
        return self.go(0)

    def go(self, by: int) -> str:
        """Go so many matches on, around the end. Returns where that is, in words."""
        if self._found:
            self._at = (self._at + by) % len(self._found)
        self._draw()
        if not self._wanted:
            return ""
        return f"Match {self._at + 1} of {len(self._found)}." if self._found else "Nothing found."

    def _draw(self) -> None:
        current = self._found[self._at] if self._found else -1
        shown = []
        for number, line in enumerate(self._lines):
            one = line.copy()
            if number in self._found:
                _mark(one, self._wanted, CURRENT if number == current else MARK)
            shown.append(one)
        self.update(Text("\n").join(shown))
        if current >= 0 and isinstance(self.parent, VerticalScroll):
            self.parent.scroll_to(y=max(0, self._row_of(current) - 2), animate=False)

    def _row_of(self, number: int) -> int:
        """Lines that are too long for the width are folded."""
        width = max(1, self.content_size.width)
        console = Console(width=width)
        return sum(len(line.wrap(console, width)) or 1 for line in self._lines[:number])


def _mark(line: Text, wanted: str, style: str) -> None:
    text, at = line.plain.casefold(), 0
    while (at := text.find(wanted, at)) >= 0:
        line.stylize(style, at, at + len(wanted))
        at += len(wanted)
