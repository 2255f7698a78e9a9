"""The lines of a log, drawn line by line: no widget for each, and so many at most."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from panel.client.log_model import LogEntry
from panel.preferred import times_of, when_times_change
from panel.widgets.logs.row import Columns, Row, drawn, row_of

MOST_LINES = 10_000
"""The oldest ones beyond it are dropped; the orchestrator has them."""
DATE_FROM = 100
"""From so many columns on, a line has its date."""


class LogView(ScrollView, can_focus=True):
    """Follows the newest lines until one scrolls up; End follows again. Text is highlighted in place, which hides
    nothing of what stands around it."""

    BINDINGS = [
        Binding("home", "oldest", "Oldest", show=False),
        Binding("end", "follow", "Follow", key_display="End", tooltip="Go to the newest line, and follow"),
        Binding("n", "next_match(1)", "Next", tooltip="Go to the next line with the text searched for"),
        Binding("N", "next_match(-1)", "Before", key_display="Shift+N", show=False, tooltip="Go to the one before"),
    ]
    DEFAULT_CSS = "LogView { height: 1fr; background: $background; }"

    class Changed(Message):
        """Whether it follows, or where it is in what was found."""

    def __init__(self) -> None:
        super().__init__(id="log-lines")
        self.follows = True
        self.sought = self.found = ""
        """The text that is searched for, and the same folded."""
        self._rows: deque[Row] = deque()
        self._labels: dict[str, str] = {}
        self._has_source = False
        self._widest = 0
        self._current = -1
        self._moves = False
        self.awaited: datetime | None = None
        """The moment of the line that is to be on top as soon as there are enough lines after it."""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def matches(self) -> tuple[int, int]:
        """The number of the match that one is at, from 1 on, and how many lines match."""
        places = [number for number, row in enumerate(self._rows) if self.found and self.found in row.folded]
        return (places.index(self._current) + 1 if self._current in places else 0), len(places)

    def clear(self) -> None:
        self._rows.clear()
        self._widest, self._current, self.follows, self.awaited = 0, -1, True, None
        self._resize()

    def name_sources(self, labels: dict[str, str], *, has_source: bool) -> None:
        """How each container is called here, and whether lines say which one has printed them."""
        self._labels, self._has_source = labels, has_source
        self._resize()

    def add(self, entries: Sequence[LogEntry]) -> None:
        """Add lines at the end."""
        rows = [row_of(entry) for entry in entries[-MOST_LINES:]]
        self._rows.extend(rows)
        dropped = max(0, len(self._rows) - MOST_LINES)
        for _ in range(dropped):
            self._rows.popleft()
        self._current = max(-1, self._current - dropped)
        self._widest = max(self._widest, *(row.cells for row in rows), 0)
        self._resize(dropped)

    @property
    def top(self) -> datetime | None:
        """The moment of the line on top; None while the newest lines are followed."""
        number = self.scroll_offset.y
        if self.follows or self.awaited or number >= len(self._rows):
            return self.awaited
        return self._rows[number].entry.at

    def go_back(self, top: datetime) -> None:
        """Go to the first line from this moment on, and do not follow."""
        self.follows, self.awaited = False, top if top.tzinfo else top.replace(tzinfo=UTC)
        self._resize()
        self.post_message(self.Changed())

    def mark(self, text: str) -> None:
        """Highlight this text."""
        self.sought, self.found = text, text.casefold()
        self.refresh()
        self.post_message(self.Changed())

    def search(self, text: str) -> None:
        """Highlight this text, and go to the first line from the one on top on that has it."""
        self.sought, self.found = text, text.casefold()
        self._current = self.scroll_offset.y - 1
        if not self.found or not self._go(1):
            self._current = -1
        self.refresh()
        self.post_message(self.Changed())

    def action_next_match(self, step: int) -> None:
        """Go to the next line, or the one before, with the text; from the last one to the first."""
        if not self.found:
            return
        if not self._go(step):
            self._current = -1 if step > 0 else len(self._rows)
            self._go(step)
        self.refresh()
        self.post_message(self.Changed())

    def action_oldest(self) -> None:
        """Go to the oldest line."""
        self._stop_following()
        self.scroll_to(y=0, animate=False)

    def action_follow(self) -> None:
        """Go to the newest line, and follow."""
        self.follows, self.awaited = True, None
        self._to_end()
        self.post_message(self.Changed())

    def watch_scroll_y(self, before: float, now: float) -> None:
        super().watch_scroll_y(before, now)
        if not self._moves:
            self.awaited = None
            if now < before and now < self.max_scroll_y:
                self._stop_following()

    def on_mount(self) -> None:
        when_times_change(self, self._resize)

    def on_resize(self) -> None:
        self._resize()

    def render_line(self, y: int) -> Strip:
        number = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if number >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[number]
        parts = drawn(row, self._columns, self.found, is_current=number == self._current)
        line = Strip(Segment.apply_style(parts, self.rich_style))
        left = self.scroll_offset.x
        return line.crop_extend(left, left + width, self.rich_style)

    def shown(self) -> list[str]:
        """The texts of the lines on the screen."""
        top = self.scroll_offset.y
        return [row.text for row in islice(self._rows, top, top + self.size.height)]

    @property
    def _columns(self) -> Columns:
        return Columns(self._labels, self._has_source, self.size.width >= DATE_FROM, times_of(self))

    def _go(self, step: int) -> bool:
        """To the next line with the text in this direction; False if there is none."""
        rows = list(self._rows)
        numbers = range(self._current + step, len(rows) if step > 0 else -1, step)
        found = next((number for number in numbers if self.found in rows[number].folded), None)
        if found is None:
            return False
        self._current = found
        top, height = self.scroll_offset.y, self.size.height
        if not top <= found < top + height - 1:
            self._stop_following()
            self.scroll_to(y=max(0, found - height // 2), animate=False, immediate=True)
        return True

    def _stop_following(self) -> None:
        if self.follows and self.max_scroll_y:
            self.follows = False
            self.post_message(self.Changed())

    def _resize(self, dropped: int = 0) -> None:
        self._moves = True
        try:
            self.virtual_size = Size(self._columns.cells + self._widest, len(self._rows))
            if self.follows:
                self._to_end()
            elif self.awaited:
                self._to_awaited(self.awaited)
            elif dropped:
                # What is read stays where it is.
                self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False, immediate=True)
        finally:
            self._moves = False
        self.refresh()

    def _to_awaited(self, top: datetime) -> None:
        """As near as the lines that there are allow."""
        later = (number for number, row in enumerate(self._rows) if row.entry.at and row.entry.at >= top)
        number = next(later, None)
        y = self.max_scroll_y if number is None else number
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        if number is not None and self.size.height and number <= self.max_scroll_y:
            self.awaited = None

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)
