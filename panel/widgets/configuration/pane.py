"""The Configuration tab: the values of an app in effect, where each comes from, and what was changed since."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from border.plain import one_line
from panel.client.configuration_model import Configuration, ConfiguredValue
from panel.client.events import Event, EventKind
from panel.text.counted import counted
from panel.text.shortened import shortened
from panel.widgets.app_pane import AppPane
from panel.widgets.table import Table

COLUMNS = ("Key", "Value", "From", "Was")
LONGEST_VALUE = 60
"""Cells of a value in a row. The one under the cursor stands whole below the table."""
MOST_PROBLEMS = 8
"""So many lines of problems and notices are shown; `changeover validate` has all."""
RENEWED_BY = frozenset({EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED, EventKind.LIVE})


class ConfigurationPane(AppPane):
    """`show_app` says of which app. Pass it the events, so that it stays true."""

    DEFAULT_CSS = """
    ConfigurationPane > Static { height: auto; margin: 0 1; }
    ConfigurationPane > #problems { max-height: 10; }
    ConfigurationPane > #values { height: 1fr; min-height: 4; }
    ConfigurationPane > #value { max-height: 5; color: $text-muted; }
    """
    BINDINGS = [
        Binding("a,A", "all_values", "All values", key_display="A", tooltip="Show the defaults, too, or hide them"),
    ]

    _found: Configuration | None = None
    _with_defaults = False
    _shown: tuple[ConfiguredValue, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(id="configuration-title")
        yield Static(id="problems")
        yield Table(id="values", cursor_type="row", zebra_stripes=True)
        yield Static(id="value")

    def on_mount(self) -> None:
        for column in COLUMNS:
            self._table.add_column(column, key=column)

    def take(self, event: Event) -> None:
        """Show what an event has changed."""
        if event.kind in RENEWED_BY and event.app in ("", self.app_name):
            self.renew()

    async def ask(self, app: str) -> None:
        if self._found is None:
            self.say(f"The configuration of {app} is read.")
        self._found = await self._client.configuration(app)
        self._fill()

    def forget(self) -> None:
        self._found = None
        self._fill()

    def say(self, text: str) -> None:
        self.query_one("#value", Static).update(Text(one_line(text)))

    def action_all_values(self) -> None:
        """Show the values that nobody has set as well, or hide them."""
        self._with_defaults = not self._with_defaults
        self._fill()

    @property
    def _table(self) -> Table:
        return self.query_one("#values", Table)

    def _fill(self) -> None:
        """The rows again, with the cursor on the same key, or else where it was."""
        row = self._table.cursor_row
        before = self._shown[row].key if 0 <= row < len(self._shown) else ""
        values = self._found.values if self._found else ()
        self._shown = tuple(one for one in values if self._with_defaults or _is_of_note(one))
        keys = [one.key for one in self._shown]
        with self._table.filled_anew():
            for one in self._shown:
                self._table.add_row(*_cells(one))
            self._table.move_cursor(row=keys.index(before) if before in keys else max(0, min(row, len(keys) - 1)))
        self.query_one("#configuration-title", Static).update(Text(self._title(), "bold"))
        self.query_one("#problems", Static).update(_problems(self._found) if self._found else "")
        self._say_current()

    def _title(self) -> str:
        if self._found is None:
            return ""
        written = sum(one.origin == "file" for one in self._found.values)
        hidden = len(self._found.values) - len(self._shown)
        says = f"{one_line(self.app_name)}: {counted(written, 'value')} of {one_line(self._found.file)}"
        return f"{says}, {counted(hidden, 'default')} not shown" if hidden else says

    def on_data_table_row_highlighted(self) -> None:
        self._say_current()

    def _say_current(self) -> None:
        at = self._table.cursor_row
        if not 0 <= at < len(self._shown):
            self.say("")
            return
        one = self._shown[at]
        was = "" if one.before is None else f". The live release was deployed with: {one.before or 'nothing'}"
        self.say(f"{one.key}: {one.value or 'not set'} ({_origin(one)}){was}")


def _is_of_note(one: ConfiguredValue) -> bool:
    return one.origin != "default" or one.before is not None


def _origin(one: ConfiguredValue) -> str:
    return f"line {one.line}" if one.line is not None else one.origin


def _cells(one: ConfiguredValue) -> tuple[Text, ...]:
    value = Text(shortened(one_line(one.value), LONGEST_VALUE)) if one.value else Text("–", "grey50")
    was = (
        Text("")
        if one.before is None
        else Text(f"was {shortened(one_line(one.before) or '–', LONGEST_VALUE)}", "yellow")
    )
    return Text(one_line(one.key), "bold" if one.origin == "file" else ""), value, Text(_origin(one), "grey70"), was


def _problems(found: Configuration) -> Text:
    """What is wrong with the file, what does not do what one could expect, and what was changed since."""
    lines = [Text(f"✗ {one_line(one)}", "red") for one in found.problems]
    lines += [
        Text(f"! {found.file}:{one.line}: {one_line(f'{one.key}: {one.says}')}", "yellow") for one in found.notices
    ]
    if more := len(lines) - MOST_PROBLEMS:
        lines = [*lines[:MOST_PROBLEMS], Text(f"and {more} more: changeover validate")] if more > 0 else lines
    if changed := _changed(found):
        lines.append(Text(changed, "yellow"))
    return Text("\n").join(lines)


def _changed(found: Configuration) -> str:
    if not found.deployed or (not found.is_changed and not any(one.before is not None for one in found.values)):
        return ""
    seen = sum(one.before is not None for one in found.values)
    if found.is_known and seen:
        says = f"! {counted(seen, 'value')} changed since {found.deployed}, the live deployment."
    elif found.is_known:
        says = f"! Changed since {found.deployed}, the live deployment: a secret, a command or a file of variables."
    else:
        says = f"! Changed since {found.deployed}, the live deployment. Which values it had is not known."
    deploys = f" It takes effect by: changeover deploy {found.app}" if found.is_changed else " It is in effect already."
    return f"{says}{deploys}"
