"""A table whose cells are as wide as its columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.text import Text
from textual.binding import Binding
from textual.geometry import Size
from textual.widgets import DataTable


class Table(DataTable[Text]):
    """Draws its cells again when the widths of its columns changed.

    Textual measures new cells when the table is idle. A picture drawn before that, with the widths of the columns'
    names, would stay: "2026-11-24 unknown ci POST /" for a row of the audit log, until somebody moves the cursor.

    Home and End go to the first and the last row, as the help says. Those of Textual scroll to the sides.
    """

    BINDINGS = [
        Binding("home", "scroll_top", "Top", show=False),
        Binding("end", "scroll_bottom", "Bottom", show=False),
    ]

    @contextmanager
    def filled_anew(self) -> Iterator[None]:
        """Empty it, and fill it in the context; it stays scrolled to where it was."""
        before = self.scroll_offset
        self.clear()
        yield
        if before:
            self.call_after_refresh(self.scroll_to, before.x, before.y, animate=False, immediate=True)

    def watch_virtual_size(self, _before: Size, _now: Size) -> None:
        self.notify_style_update()
