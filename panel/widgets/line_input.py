"""A line to type into."""

from __future__ import annotations

from textual.widgets import Input


class LineInput(Input):
    """Its cursor stands still: one that blinks is painted, and sent to the browser, while nobody types."""

    def on_mount(self) -> None:
        self.cursor_blink = False
