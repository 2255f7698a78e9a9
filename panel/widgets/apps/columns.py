"""The columns of the list of apps: which there is room for, how wide they are, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from border.plain import one_line
from panel.client.model import App
from panel.text.shortened import shortened
from panel.widgets.apps.grade import HEALTHY, NONE, grade_of
from panel.widgets.apps.numbers import Numbers, duration, probes, rate, share, sparkline

GAP = " "
LONGEST_NAME, LONGEST_VERSION, LONGEST_STATE = 28, 20, 24


@dataclass(frozen=True)
class Cell:
    """A piece of a line. `style` is the name of one of the list's component classes; empty for plain text."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column:
    """A column is between `least` and `most` cells wide. Of those that there is no room for, the ones with the highest
    `dropped` are left out first; those with 0 say what it is, and are never left out."""

    heading: str
    least: int
    most: int
    dropped: int
    cell: Callable[[App, Numbers, int], Cell]
    right: bool = False

    @property
    def is_name(self) -> bool:
        return not self.dropped


def columns_of(apps: Sequence[App]) -> tuple[Column, ...]:
    """The columns that these apps need, in their order."""
    longest_name = max((cell_len(one.name) for one in apps), default=0)
    longest_version = max((cell_len(one.active.version) for one in apps if one.active), default=0)
    longest_state = max((cell_len(state_of(one)) for one in apps), default=0)
    return (
        Column("", 1, 1, 0, _mark),
        Column("App", 6, _within(6, longest_name, LONGEST_NAME), 0, _name),
        Column("Release", 8, _within(8, longest_version + 2, LONGEST_VERSION), 0, _release),
        Column("State", 7, _within(7, longest_state, LONGEST_STATE), 0, _state),
        Column("Requests", 8, 24, 5, _requests),
        Column("/s", 5, 5, 3, lambda _app, numbers, _width: Cell(rate(numbers.now)), right=True),
        Column("Errors", 6, 6, 3, _errors, right=True),
        Column("p99", 6, 6, 4, lambda _app, numbers, _width: Cell(duration(numbers.p99)), right=True),
        Column("Probes", 10, 50, 6, _probes),
    )


def widths(columns: Sequence[Column], room: int) -> list[int]:
    """The width of each column in so many cells; 0 for one that is left out.

    Names are whole before there are numbers, and only where the names alone have no room are they cut.
    """
    kept = {index: column.most if column.is_name else column.least for index, column in enumerate(columns)}
    for index in sorted(kept, key=lambda one: (-columns[one].dropped, -one)):
        if _total(kept) <= room or columns[index].is_name:
            break
        del kept[index]
    if _total(kept) > room:
        kept = {index: columns[index].least for index in kept}
    spare = room - _total(kept)
    for index in list(kept):
        more = max(0, min(columns[index].most - kept[index], spare))
        kept[index] += more
        spare -= more
    return [kept.get(index, 0) for index in range(len(columns))]


def heading(columns: Sequence[Column], wide: Sequence[int], sorted_by: str) -> list[Cell]:
    """The line above the apps. A triangle is at the column that they are sorted by."""
    cells = []
    for column, width in zip(columns, wide, strict=True):
        if width:
            mark = "▾" if column.heading.casefold() == sorted_by else ""
            text = f"{column.heading}{mark}" if cell_len(column.heading) < width else column.heading
            cells += [Cell(_fit(text, width, right=column.right)), Cell(GAP)]
    return cells


def line_of(app: App, numbers: Numbers, columns: Sequence[Column], wide: Sequence[int]) -> list[Cell]:
    cells = []
    for column, width in zip(columns, wide, strict=True):
        if width:
            cell = column.cell(app, numbers, width)
            cells += [Cell(_fit(cell.text, width, right=column.right), cell.style), Cell(GAP)]
    return cells


def card_of(app: App, numbers: Numbers, room: int) -> tuple[list[Cell], list[Cell]]:
    """Two lines for a phone: what it is and runs, how it is and what it does."""
    version = shortened(_version(app), max(8, room // 2 - 2))
    name = shortened(app.name, room - cell_len(version) - 4)
    space = room - cell_len(name) - cell_len(version) - 2
    mark = _mark(app, numbers, 1)
    first = [mark, Cell(" "), Cell(name, "name"), Cell(" " * max(1, space)), Cell(version, _colour(app))]
    facts = f"{rate(numbers.now)}/s  {share(numbers.errors)}  {duration(numbers.p99)}" if numbers.requests else ""
    state = _state(app, numbers, room - 3 - cell_len(facts))
    space = room - 2 - cell_len(state.text) - cell_len(facts)
    return first, [Cell("  "), state, Cell(" " * max(1, space)), Cell(facts)]


def state_of(app: App) -> str:
    """What is going on, or else what is wrong, or else that there is an update: one of them."""
    if app.deployment:
        return f"{app.deployment.step or app.deployment.state}…"
    if app.unsettled:
        return f"{app.health}, data unsettled"
    if app.muted_until:
        return f"{app.health}, muted"
    if app.health not in (HEALTHY, NONE):
        return app.health
    if app.update:
        return f"→ {one_line(app.update.version)}"
    return app.health if app.active else "not deployed"


def _mark(app: App, _numbers: Numbers, _width: int) -> Cell:
    grade = grade_of(app)
    return Cell(grade.mark, grade.name.lower())


def _name(app: App, _numbers: Numbers, width: int) -> Cell:
    return Cell(shortened(app.name, width), "name")


def _release(app: App, _numbers: Numbers, width: int) -> Cell:
    return Cell(shortened(_version(app), width), _colour(app))


def _version(app: App) -> str:
    """A letter for the colour: whoever sees no colours reads it."""
    return f"{app.active.colour[:1].upper()} {one_line(app.active.version)}" if app.active else "–"


def _colour(app: App) -> str:
    return app.active.colour if app.active and app.active.colour in ("blue", "green") else "faint"


def _state(app: App, _numbers: Numbers, width: int) -> Cell:
    style = "busy" if app.deployment else grade_of(app).name.lower()
    is_update = not app.deployment and not app.unsettled and app.health == HEALTHY and app.update
    return Cell(shortened(state_of(app), max(1, width)), "update" if is_update else style)


def _requests(_app: App, numbers: Numbers, width: int) -> Cell:
    return Cell(sparkline(numbers.requests, width), "line")


def _errors(_app: App, numbers: Numbers, _width: int) -> Cell:
    return Cell(share(numbers.errors), "bad" if numbers.errors else "faint")


def _probes(_app: App, numbers: Numbers, width: int) -> Cell:
    return Cell(probes(numbers.probes, width), "bad" if "-" in numbers.probes[-width:] else "well")


def _fit(text: str, width: int, *, right: bool) -> str:
    missing = width - cell_len(text)
    if missing < 0:
        return set_cell_size(text, width)
    return " " * missing + text if right else text + " " * missing


def _within(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def _total(kept: dict[int, int]) -> int:
    return sum(kept.values()) + max(0, len(kept) - 1) * len(GAP)
