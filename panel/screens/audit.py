"""The audit log: who did what, from where, and the outcome."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import DataTable, Static

from border.plain import one_line
from panel.client.access_model import AuditEntry
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.preferring import times_of
from panel.screens.whole import is_whole
from panel.text.moments import Times
from panel.widgets.key_line import KeyLine
from panel.widgets.table import Table
from panel.widgets.title_line import TitleLine

COLUMNS = ("When", "Outcome", "Who", "Action", "From", "Why")
COLOURS = {"done": "green3", "refused": "orange3", "failed": "red", "unknown": "grey50"}
PAGE = 100


class AuditScreen(Screen[None]):
    """The newest entries first, a page at a time. It needs a token with scope admin."""

    BINDINGS = [
        Binding("escape", "close", "Back", key_display="Esc", tooltip="Go back to the dashboard"),
        Binding("m,M", "more", "Older entries", key_display="M", tooltip="Add the next 100 older entries"),
        Binding("r,R", "refused", "Refused only", key_display="R", tooltip="Show only what failed or was refused"),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._before: int | None = None
        self._entries: list[AuditEntry] = []
        self._refused_only = False
        self._has_first = False
        """Whether the newest page has come, so that it is known if there are older entries."""

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("Audit log", classes="heading", id="title")
        yield Table(id="audit", cursor_type="row", zebra_stripes=True)
        yield Static(id="entry")
        yield KeyLine()

    def on_mount(self) -> None:
        table = self._table
        for column in COLUMNS:
            table.add_column(column, key=column)
        self.set_focus(table)
        self._load()

    def action_close(self) -> None:
        self.dismiss()

    def action_more(self) -> None:
        """Add the next page, of older entries."""
        if self._has_first and self._before is None:
            self.notify("There are no older entries.")
            return
        self._load()

    def action_refused(self) -> None:
        """Show only what was refused or failed, or everything again."""
        self._refused_only = not self._refused_only
        self._before, self._has_first = None, False
        self._table.clear()
        self._entries.clear()
        self.query_one("#entry", Static).update("")
        shown = "Audit log: refused and failed requests" if self._refused_only else "Audit log"
        self.query_one("#title", Static).update(shown)
        self._load()

    @work(exclusive=True)
    async def _load(self) -> None:
        try:
            page = await self._client.audit(PAGE, self._before, refused=self._refused_only)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if not is_whole(self):
            return
        self._before, self._has_first = page.before, True
        for entry in page.entries:
            self._entries.append(entry)
            self._table.add_row(*_cells(entry, times_of(self)))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the entry under the cursor as a whole: a table cuts what is wider than the terminal."""
        if event.cursor_row < len(self._entries):
            self.query_one("#entry", Static).update(_whole(self._entries[event.cursor_row]))

    @property
    def _table(self) -> Table:
        return self.query_one("#audit", Table)


def _whole(entry: AuditEntry) -> Text:
    said = [f"{entry.action} by {entry.who or 'nobody who is known'}"]
    said += [f"from {entry.origin}"] if entry.origin else []
    why = f": {entry.reason}" if entry.reason else ""
    return Text.assemble(one_line(", ".join(said)), ", ", _outcome(entry), one_line(why))


def _outcome(entry: AuditEntry) -> Text:
    outcome = f"{entry.outcome} {entry.status}" if entry.status else entry.outcome
    return Text(outcome, COLOURS.get(entry.outcome, ""))


def _cells(entry: AuditEntry, times: Times) -> tuple[Text, ...]:
    return (
        Text(times.dated(entry.at)),
        _outcome(entry),
        Text(entry.who or "–"),
        Text(entry.action),
        Text(entry.origin),
        Text(entry.reason),
    )
