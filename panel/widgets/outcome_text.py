"""How a deployment ended, below its steps."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static


class OutcomeText(Static):
    """Scrolls itself to its beginning: the cause of a failure stands there, and its log, which may be long, below it.

    Whoever has scrolled since stays where they are when more of the outcome comes.
    """

    DEFAULT_CSS = """
    OutcomeText { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="outcome")
        self._says: Callable[[int], RenderableType] | None = None
        self._width = 0
        self._led_to: float | None = None
        """Where the parent was scrolled to from here."""

    def tell(self, says: Callable[[int], RenderableType]) -> None:
        """Show what it gives for a width in cells."""
        self._says = says
        self._draw()

    def _draw(self) -> None:
        if self._says:
            self.update(self._says(self.size.width))

    def on_resize(self, _event: Resize) -> None:
        """Only what is laid out can be scrolled to; a scroll bar that appears has it laid out once more."""
        if self.size.width != self._width:
            self._width = self.size.width
            self._draw()
        self._lead()
        self.call_after_refresh(self._lead)

    def _lead(self) -> None:
        reader = self.parent
        if self._says is None or not isinstance(reader, VerticalScroll) or self._led_to not in (None, reader.scroll_y):
            return
        self.scroll_visible(animate=False, top=True, immediate=True)
        self._led_to = reader.scroll_y
