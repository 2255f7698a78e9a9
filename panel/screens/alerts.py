"""What went wrong in the last 90 days: the alerts of apps and of the host, and how long apps were away."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import DataTable, Static

from border.plain import one_line
from panel.client.alert_model import Alert
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.clock import Clock
from panel.preferred import times_of
from panel.screens.whole import is_whole
from panel.text.alerts import DOWNTIMES, lasted, what, whose
from panel.text.counted import counted
from panel.text.moments import Times
from panel.widgets.key_line import KeyLine
from panel.widgets.table import Table
from panel.widgets.title_line import TitleLine

COLUMNS = ("", "Began", "App", "What", "Lasted", "Why")
PAGE = 100


class AlertsScreen(Screen[None]):
    """The newest first, a page at a time. `app_shown` is the app of which alone they can be shown; empty for none."""

    BINDINGS = [
        Binding("escape,h,H", "close", "Back", key_display="Esc", tooltip="Go back to the dashboard"),
        Binding("o,O", "one_app", "One app", key_display="O", tooltip="Show only the selected app, or all again"),
        Binding("d,D", "downtimes", "Downtimes", key_display="D", tooltip="Show only times without the active release"),
        Binding("m,M", "more", "Older ones", key_display="M", tooltip="Add the next 100 older alerts"),
    ]

    def __init__(self, client: Client, clock: Clock, app_shown: str) -> None:
        super().__init__()
        self._client, self._clock, self._app_shown = client, clock, app_shown
        self._before: int | None = None
        self._has_first = False
        self._of_one_app = self._downtimes_only = False
        self._alerts: list[Alert] = []
        self._shown: list[Alert] = []
        """Those in the table, in its order."""

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static(classes="heading", id="title")
        yield Table(id="alerts", cursor_type="row", zebra_stripes=True)
        yield Static(id="entry")
        yield KeyLine()

    def on_mount(self) -> None:
        for column in COLUMNS:
            self._table.add_column(column, key=column)
        self.set_focus(self._table)
        self._say_title()
        self._load()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does nothing now is not offered."""
        if action == "one_app" and not self._app_shown:
            return False
        if action == "more" and self._has_first and self._before is None:
            return False
        return super().check_action(action, parameters)

    @property
    def _table(self) -> Table:
        return self.query_one("#alerts", Table)

    def action_close(self) -> None:
        self.dismiss()

    def action_more(self) -> None:
        """Add the next page, of older alerts."""
        self._load()

    def action_one_app(self) -> None:
        """Show only the alerts of the app that was selected, or all again."""
        self._of_one_app = not self._of_one_app
        self._before, self._has_first, self._alerts = None, False, []
        self._fill()
        self._load()

    def action_downtimes(self) -> None:
        """Show only the times in which apps were away or answered by their standby, or all again."""
        self._downtimes_only = not self._downtimes_only
        self._fill()

    @work(exclusive=True)
    async def _load(self) -> None:
        app = self._app_shown if self._of_one_app else ""
        try:
            page = await self._client.alerts(app, limit=PAGE, before=self._before)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if not is_whole(self):
            return
        self._before, self._has_first = page.before, True
        self._alerts += page.alerts
        self._fill()
        self.refresh_bindings()

    def _fill(self) -> None:
        """The rows again, with the cursor where it was."""
        row, now = self._table.cursor_row, self._clock()
        self._shown = [one for one in self._alerts if not self._downtimes_only or one.kind in DOWNTIMES]
        self._table.clear()
        for one in self._shown:
            self._table.add_row(*_cells(one, now, times_of(self)))
        self._table.move_cursor(row=max(0, min(row, len(self._shown) - 1)))
        if not self._shown:
            self.query_one("#entry", Static).update("")
        self._say_title()

    def _say_title(self) -> None:
        of = f" of {self._app_shown}" if self._of_one_app else ""
        kind = "Downtimes" if self._downtimes_only else "Alerts"
        going_on = sum(one.ended_at is None for one in self._shown)
        says = f": {counted(len(self._shown), kind[:-1].lower())}" if self._has_first else ""
        says += f", {going_on} going on" if going_on else ""
        self.query_one("#title", Static).update(Text(one_line(f"{kind}{of} in the last 90 days{says}")))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the alert under the cursor as a whole: a table cuts what is wider than the terminal."""
        if event.cursor_row < len(self._shown):
            self.query_one("#entry", Static).update(_whole(self._shown[event.cursor_row], times_of(self)))


def _whole(alert: Alert, times: Times) -> Text:
    ended = f"ended {times.dated(alert.ended_at)}" if alert.ended_at else "goes on"
    said = [f"{whose(alert)}: {what(alert)}", f"began {times.dated(alert.began_at)}", ended]
    said += [f"deployment {alert.deployment}"] if alert.deployment else []
    said += ["the app was muted"] if alert.muted else []
    return Text(one_line(f"{', '.join(said)}. {alert.cause}"))


def _cells(alert: Alert, now: datetime, times: Times) -> tuple[Text, ...]:
    mark = Text("✓", "green3") if alert.ended_at else Text("✗", "red")
    says = f"{what(alert)} (muted)" if alert.muted else what(alert)
    return (
        mark,
        Text(times.dated(alert.began_at)),
        Text(one_line(whose(alert)), "bold"),
        Text(one_line(says)),
        Text(lasted(alert, now)),
        Text(one_line(alert.cause)),
    )
