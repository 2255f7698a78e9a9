"""What the console says to one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text

from border.plain import one_line, plain

MOST_LINES = 60
LONGEST_ANSWER = 8_000
"""Characters."""
LONGEST_CELL = 60
"""Cells of a value in a list."""


@dataclass(frozen=True)
class Answer:
    """Plain text, the command line that does the same, and the lines that may have been meant.

    `failed`: what was wanted was not done. `opens` is the address that is opened, and `follows` the app and deployment
    whose progress is shown.
    """

    says: str
    command_line: str = ""
    suggestions: tuple[str, ...] = ()
    failed: bool = False
    opens: str = ""
    follows: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """All of it, as it is kept."""
        parts = [self.says, *(f"  {one}" for one in self.suggestions)]
        return "\n".join([*parts, *([f"$ {self.command_line}"] if self.command_line else [])])

    def limited(self) -> Answer:
        """Without control characters, with at most MOST_LINES lines and LONGEST_ANSWER characters."""
        lines = plain(self.says).split("\n")
        kept = "\n".join(lines[:MOST_LINES])[:LONGEST_ANSWER]
        left_out = len(lines) - len(kept.split("\n"))
        if left_out:
            kept += f"\n{left_out} more lines are left out."
        return replace(
            self,
            says=kept,
            command_line=one_line(self.command_line),
            suggestions=tuple(one_line(one) for one in self.suggestions),
        )


def of_markup(markup: str) -> str:
    """Markup as the command prints it, as plain text."""
    return Text.from_markup(markup, emoji=False).plain


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of values, one below the other. The last column is as wide as it is."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    wide = [min(max(map(cell_len, column)), LONGEST_CELL) for column in zip(*cells, strict=True)]
    padded = (
        "  ".join([*(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, wide, strict=True))]).rstrip()
        for row in cells
    )
    return "\n".join(padded)
