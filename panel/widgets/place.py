"""Where one is in what scrolls, and the way back there."""

from __future__ import annotations

import time
from typing import Any

from textual.containers import ScrollableContainer
from textual.scroll_view import ScrollView
from textual.widget import Widget
from textual.widgets import DataTable, OptionList

from panel.session.state import FARTHEST, Place
from panel.widgets.logs.view import LogView

WITHIN_S = 10.0
"""After that, a place that has not come is not gone to: it would move what somebody reads."""


class Return:
    """The way back of one widget, once, as soon as it has the row and so many lines."""

    def __init__(self, widget: Widget, place: Place) -> None:
        self._widget, self._place = widget, place
        self._until = time.monotonic() + WITHIN_S
        self._is_over = False
        widget.watch(widget, "virtual_size", self._go, init=False)
        widget.call_after_refresh(self._go)

    @property
    def awaits(self) -> Place | None:
        """The place, until it is reached or given up."""
        return None if self._is_over or time.monotonic() > self._until else self._place

    def give_up(self) -> None:
        """The person has moved."""
        self._is_over = True

    def _go(self) -> None:
        widget, place = self._widget, self._place
        if self.awaits is None:
            return
        number = row_number(widget, place.row) if isinstance(widget, DataTable) and place.row else None
        is_there = number is not None or not place.row
        if not (is_there and widget.size.height and place.y <= widget.max_scroll_y):
            return
        self._is_over = True
        if isinstance(widget, DataTable) and number is not None:
            widget.move_cursor(row=number)
        # After what brings the cursor into sight, which waits for a refresh itself.
        widget.call_after_refresh(widget.scroll_to, place.x, place.y, animate=False)


Returns = dict[str, Return]


def place_of(widget: Widget, way: Return | None = None) -> Place:
    """Where it is; on its way back, where that leads."""
    if way and (place := way.awaits):
        return place
    row = row_key(widget, widget.cursor_row) if isinstance(widget, DataTable) else ""
    x, y = widget.scroll_offset
    return Place(x=min(max(x, 0), FARTHEST), y=min(max(y, 0), FARTHEST), row=row)


def places_in(widget: Widget, ways: Returns) -> dict[str, Place]:
    """By name, where it is in each part that scrolls, if that is not its start."""
    places = {name: place_of(part, ways.get(name)) for name, part in _parts(widget).items()}
    return {name: place for name, place in places.items() if place != Place()}


def returns(widget: Widget, places: dict[str, Place]) -> Returns:
    """Begin the way back of each part that has a place."""
    return {name: Return(part, places[name]) for name, part in _parts(widget).items() if name in places}


def _parts(widget: Widget) -> dict[str, Widget]:
    """What scrolls, by its id, or else its type. The log has a way of its own: its lines have moments."""
    scrolls = (one for one in (widget, *widget.query("*")) if isinstance(one, ScrollView | ScrollableContainer))
    return {one.id or type(one).__name__: one for one in scrolls if not isinstance(one, LogView | OptionList)}


def row_key(table: DataTable[Any], number: int) -> str:
    """The key of a row, or else what stands in its first cell."""
    if not 0 <= number < table.row_count:
        return ""
    row = table.ordered_rows[number]
    return row.key.value or str(table.get_row_at(number)[0])


def row_number(table: DataTable[Any], key: str) -> int | None:
    return next((number for number in range(table.row_count) if row_key(table, number) == key), None)
