"""The list of apps: one widget, which draws only the lines that are seen and only those that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from panel.client.model import App
from panel.session.state import Place
from panel.widgets.apps.columns import Cell, card_of, columns_of, heading, line_of, widths
from panel.widgets.apps.grade import Grade, grade_of
from panel.widgets.apps.numbers import NO_NUMBERS, Numbers, NumbersOf
from panel.widgets.apps.order import Sort, View, arranged
from panel.widgets.place import Return, place_of

HEADING = 1
"""The first line, which does not scroll."""
HEADINGS = {Sort.NAME: "app", Sort.HEALTH: "state"}
"""The columns that have other names than what they sort by."""


@dataclass(frozen=True)
class Line:
    """One line of the list. `app`: whose it is; empty for the heading of a group."""

    app: str
    cells: tuple[Cell, ...]


def _nothing(_name: str) -> Numbers:
    return NO_NUMBERS


class AppsList(ScrollView, can_focus=True):
    """The cursor is at an app, not at a line: it stays there when the order changes."""

    class Highlighted(Message):
        """The cursor is at another app."""

        def __init__(self, app: str) -> None:
            super().__init__()
            self.app = app

    class Opened(Message):
        """Enter, or a click at the app under the cursor."""

        def __init__(self, app: str) -> None:
            super().__init__()
            self.app = app

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1000000)", "Top", show=False),
        Binding("end", "move(1000000)", "Bottom", show=False),
        Binding("enter", "open", "Open", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"apps-list--{one}"
        for one in (
            *("heading", "group", "cursor", "name", "faint", "line", "update"),
            *("well", "empty", "warned", "bad", "busy", "blue", "green"),
        )
    }
    DEFAULT_CSS = """
    AppsList { height: 1fr; background: $background; scrollbar-size-vertical: 1; }
    AppsList > .apps-list--heading { color: $text-muted; text-style: bold; }
    AppsList > .apps-list--group { color: $text-muted; text-style: italic; }
    AppsList > .apps-list--cursor { background: $panel; }
    AppsList:focus > .apps-list--cursor { background: $primary-muted; }
    AppsList > .apps-list--name { text-style: bold; }
    AppsList > .apps-list--faint, AppsList > .apps-list--empty { color: $text-muted; }
    AppsList > .apps-list--line { color: $text-primary; }
    AppsList > .apps-list--update { color: $text-accent; }
    AppsList > .apps-list--well { color: $text-success; }
    AppsList > .apps-list--warned, AppsList > .apps-list--busy { color: $text-warning; }
    AppsList > .apps-list--bad { color: $text-error; text-style: bold; }
    AppsList > .apps-list--blue { color: $text-primary; }
    AppsList > .apps-list--green { color: $text-success; }
    """

    def __init__(self) -> None:
        super().__init__(id="apps")
        self.view = View()
        self._apps: tuple[App, ...] = ()
        self._numbers: NumbersOf = _nothing
        self._lines: list[Line] = []
        self._heading: tuple[Cell, ...] = ()
        self._order: list[str] = []
        self.selected = ""
        """The app under the cursor; empty when there is none."""
        self.awaited = ""
        """The app that the cursor goes to when the apps are known."""
        self._return: Return | None = None
        self.has_cards = False
        """Whether each app has two lines, for a phone, instead of one."""
        self._styles: dict[str, Style] = {}

    def show(self, apps: Sequence[App], numbers: NumbersOf = _nothing) -> None:
        """Show these apps with these numbers."""
        self._apps, self._numbers = tuple(apps), numbers
        self._arrange()

    def look(self, view: View) -> None:
        """Show the apps in another way. The cursor stays at its app, or goes to the first that is shown."""
        self.view = view
        self._arrange()
        self._into_sight()

    def select(self, app: str) -> None:
        """Move the cursor to this app, if it is shown, or as soon as the apps are known."""
        if not self._apps:
            self.awaited = app
        elif app in self._order and app != self.selected:
            self._move_to(app)

    @property
    def top(self) -> int:
        """The line on top; until there are so many, the one that is to be."""
        return place_of(self, self._return).y

    def go_back(self, top: int) -> None:
        """Scroll to this line as soon as there are so many."""
        self._return = Return(self, Place(y=top)) if top else None

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the apps that are shown, in their order."""
        return tuple(self._order)

    def stay_here(self) -> None:
        """The person moves."""
        if self._return:
            self._return.give_up()

    def action_move(self, by: int) -> None:
        self.stay_here()
        if self._order:
            here = self._order.index(self.selected)
            self._move_to(self._order[max(0, min(len(self._order) - 1, here + by))])

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, (self.size.height - HEADING) // (2 if self.has_cards else 1) - 1))

    def action_open(self) -> None:
        if self.selected:
            self.post_message(self.Opened(self.selected))

    def on_mouse_scroll_down(self) -> None:
        self.stay_here()

    def on_mouse_scroll_up(self) -> None:
        self.stay_here()

    def on_click(self, event: Click) -> None:
        index = event.y - HEADING + self.scroll_offset.y
        if event.y < HEADING or not 0 <= index < len(self._lines) or not (app := self._lines[index].app):
            return
        if app == self.selected:
            self.action_open()
        else:
            self._move_to(app)

    def on_resize(self, _event: Resize) -> None:
        self._arrange()
        self._into_sight()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self._width
        if y < HEADING:
            return self._strip(Line("", self._heading), width, "heading")
        index = y - HEADING + self.scroll_offset.y
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        return self._strip(line, width, "cursor" if line.app and line.app == self.selected else "")

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _arrange(self) -> None:
        shown = arranged(self._apps, self.view, self._numbers, self._order)
        self._order = [app.name for app in shown]
        if self.selected not in self._order:
            self._tell(self.awaited if self.awaited in self._order else self._order[0] if self._order else "")
        if self._apps:
            self.awaited = ""
        if not self._width:
            return
        lines, first = self._drawn(shown)
        was, self._lines = self._lines, lines
        if first != self._heading:
            self._heading = first
            self.refresh(Region(0, 0, self._width, HEADING))
        if len(was) != len(lines):
            self.virtual_size = Size(self._width, HEADING + len(lines))
            self.refresh(layout=True)
            return
        for index, (before, now) in enumerate(zip(was, lines, strict=True)):
            if before != now:
                self._refresh_line(index)

    def _drawn(self, apps: Sequence[App]) -> tuple[list[Line], tuple[Cell, ...]]:
        """The lines of these apps, and the one above them."""
        columns, room = columns_of(apps), self._width
        wide = widths(columns, room)
        lines: list[Line] = []
        group: Grade | None = None
        for app in apps:
            grade = grade_of(app)
            if self.view.grouped and grade is not group:
                group = grade
                number = sum(grade_of(one) is grade for one in apps)
                lines.append(Line("", (Cell(f"{grade.mark} {number} {grade.heading}", "group"),)))
            numbers = self._numbers(app.name)
            if self.has_cards:
                lines += [Line(app.name, tuple(cells)) for cells in card_of(app, numbers, room)]
            else:
                lines.append(Line(app.name, tuple(line_of(app, numbers, columns, wide))))
        return lines, (Cell(self._said(len(apps))),) if self.has_cards else tuple(
            heading(columns, wide, HEADINGS.get(self.view.sort, self.view.sort))
        )

    def _said(self, number: int) -> str:
        return "Apps" if number == len(self._apps) else f"Apps: {number} of {len(self._apps)}"

    def _strip(self, line: Line, width: int, over: str) -> Strip:
        base = self.rich_style + (self._style(over) if over else Style())
        pieces = [
            Segment(cell.text, base + self._style(cell.style) if cell.style and over != "heading" else base)
            for cell in line.cells
        ]
        return Strip(pieces).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            is_ground = name == "cursor"
            found = self.get_component_rich_style(f"apps-list--{name}", partial=True)
            self._styles[name] = found if is_ground else found.without_color + Style(color=found.color)
        return self._styles[name]

    def _move_to(self, app: str) -> None:
        before = self.selected
        self._tell(app)
        for index, line in enumerate(self._lines):
            if line.app and line.app in (before, app):
                self._refresh_line(index)
        self._into_sight()

    def _tell(self, app: str) -> None:
        if app != self.selected:
            self.selected = app
            self.post_message(self.Highlighted(app))

    def _into_sight(self) -> None:
        """Scroll as little as needed for the app under the cursor to be seen."""
        own = [index for index, line in enumerate(self._lines) if line.app and line.app == self.selected]
        height = self.size.height - HEADING
        if not own or height <= 0:
            return
        top = self.scroll_offset.y
        if own[0] < top:
            self.scroll_to(y=own[0], animate=False)
        elif own[-1] >= top + height:
            self.scroll_to(y=own[-1] - height + 1, animate=False)

    def _refresh_line(self, index: int) -> None:
        y = index - self.scroll_offset.y + HEADING
        if HEADING <= y < self.size.height:
            self.refresh(Region(0, y, self._width, 1))
