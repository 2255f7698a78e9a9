"""One line of a log as it is drawn: its moment, its level as a letter, what printed it, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from border.plain import plain
from panel.client.log_model import LogEntry
from panel.text.moments import OWN, Times
from panel.text.shortened import shortened

LETTERS = {"debug": "D", "info": "I", "warning": "W", "error": "E", "critical": "C"}
STYLES = {
    "debug": Style(dim=True),
    "warning": Style(color="yellow"),
    "error": Style(color="red"),
    "critical": Style(color="red", bold=True),
}
QUIET, NOTE = Style(dim=True), Style(italic=True, dim=True)
MATCH, CURRENT = Style(reverse=True), Style(reverse=True, bold=True, underline=True)
SOURCE_CELLS = 12
TAB = 4
MARK, NO_MARK = "▶", " "


@dataclass(frozen=True)
class Row:
    """A line without control characters. `folded` is what is searched."""

    entry: LogEntry
    text: str
    folded: str
    cells: int


@dataclass(frozen=True)
class Columns:
    """What stands before the text. `labels`: of each container, how it is called here;
    empty: there is one only, which stands above."""

    labels: dict[str, str]
    has_source: bool = False
    has_date: bool = False
    times: Times = OWN

    @property
    def of_moment(self) -> int:
        return (15 if self.has_date else 9) + (3 if self.times.to_12 else 0)

    @property
    def cells(self) -> int:
        return 1 + self.of_moment + 2 + (SOURCE_CELLS + 1 if self.has_source else 0)


def row_of(entry: LogEntry) -> Row:
    text = " ".join(plain(entry.text).splitlines()).expandtabs(TAB)
    return Row(entry, text, text.casefold(), cell_len(text))


def drawn(row: Row, columns: Columns, found: str, *, is_current: bool) -> list[Segment]:
    """The segments of a line. `found` is the text that is searched for, folded; the current line is marked."""
    entry = row.entry
    style = STYLES.get(entry.level, Style()) if entry.container else NOTE
    parts = [Segment(MARK if is_current else NO_MARK), Segment(_moment(entry, columns), QUIET)]
    parts.append(Segment(f"{LETTERS.get(entry.level, ' ')} ", style))
    if columns.has_source:
        label = shortened(columns.labels.get(entry.container, entry.container), SOURCE_CELLS)
        parts.append(Segment(label + " " * (SOURCE_CELLS + 1 - cell_len(label)), QUIET))
    parts += _highlighted(row, found, style, CURRENT if is_current else MATCH)
    return parts


def places(row: Row, found: str) -> Sequence[int]:
    """Where the text begins that is searched for."""
    at, all_of_them = row.folded.find(found) if found else -1, []
    while at >= 0:
        all_of_them.append(at)
        at = row.folded.find(found, at + len(found))
    return all_of_them


def _highlighted(row: Row, found: str, style: Style, match: Style) -> list[Segment]:
    # A letter that folds to two, such as ß, moves what comes after it: such a line is not marked within.
    if not found or found not in row.folded or len(row.folded) != len(row.text):
        return [Segment(row.text, style)]
    parts, last = [], 0
    for at in places(row, found):
        parts += [Segment(row.text[last:at], style), Segment(row.text[at : at + len(found)], style + match)]
        last = at + len(found)
    return [*parts, Segment(row.text[last:], style)]


def _moment(entry: LogEntry, columns: Columns) -> str:
    if entry.at is None:
        return " " * columns.of_moment
    times = columns.times
    day = f"{times.local(entry.at):%m-%d} " if columns.has_date else ""
    time = times.to_second(entry.at)
    return day + time.rjust(columns.of_moment - len(day) - 1) + " "
