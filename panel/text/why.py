"""The last column of a table, which says why and may be longer than a terminal is wide."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text


def add_why(table: Table) -> None:
    """Add the column. It is the one that is cut where the terminal ends: the others have ids, which are typed again."""
    # Rich makes the columns narrower that may be wrapped, and only then all of them.
    table.add_column("WHY", no_wrap=False)


def why(markup: str) -> Text:
    """A cell of the column: one line."""
    cell = Text.from_markup(markup, emoji=False, overflow="ellipsis")
    cell.no_wrap = True
    return cell
