"""The entries of the audit log: who did what, from where, and the outcome. Of one app, or of everything."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from border.plain import one_line
from panel.client.access_model import AuditEntry
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.preferred import times_of
from panel.screens.whole import is_whole
from panel.text.moments import Times
from panel.widgets.table import Table

COLUMNS = ("When", "Outcome", "Who", "Action", "From", "Why")
COLOURS = {"done": "green3", "refused": "orange3", "failed": "red", "unknown": "grey50"}
PAGE = 100
AUDIT_KEYS = (
    Binding("m,M", "more", "Older entries", key_display="M", tooltip="Add the next 100 older entries"),
    Binding("r,R", "refused", "Refused only", key_display="R", tooltip="Show only what failed or was refused"),
)
"""Of whatever has the table in it: `more` and `refused` are its actions."""


class AuditTable(Vertical):
    """The newest entries first, a page at a time; of this app, or of everything without a name. It needs a token
    with scope admin. What is asked for ends with the table, and when another app is shown."""

    DEFAULT_CSS = """
    AuditTable { width: 100%; height: 1fr; }
    """

    def __init__(self, client: Client, app: str = "", *, takes_focus: bool = False) -> None:
        super().__init__()
        self.table = Table(id="audit", cursor_type="row", zebra_stripes=True)
        self._takes_focus = takes_focus
        self._client = client
        self._app_name = app
        self._before: int | None = None
        self._entries: list[AuditEntry] = []
        self.refused_only = False
        self._has_first = False
        """Whether the newest page has come, so that it is known if there are older entries."""

    def compose(self) -> ComposeResult:
        yield self.table
        yield Static(id="entry")

    def on_mount(self) -> None:
        if not self.table.is_attached:
            return  # closed in the moment in which it was opened
        for column in COLUMNS:
            self.table.add_column(column, key=column)
        if self._takes_focus:
            self.screen.set_focus(self.table)
        self._load()

    def show_app(self, name: str) -> None:
        """Show the entries of this app, as they are now."""
        self._app_name = name
        self.again()

    def again(self) -> None:
        """Begin with the newest entries again."""
        self._before, self._has_first = None, False
        self._entries.clear()
        if self.is_mounted and self.table.is_attached:
            self.table.clear()
            self.query_one("#entry", Static).update("")
            self._load()

    def more(self) -> None:
        """Add the next page, of older entries."""
        if self._has_first and self._before is None:
            self.notify("There are no older entries.")
            return
        self._load()

    def toggle_refused(self) -> None:
        """Show only what was refused or failed, or everything again."""
        self.refused_only = not self.refused_only
        self.again()

    @work(exclusive=True)
    async def _load(self) -> None:
        try:
            page = await self._client.audit(PAGE, self._before, app=self._app_name, refused=self.refused_only)
        except ClientError as error:
            self.app.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if not self.is_attached or not is_whole(self.screen):
            return
        self._before, self._has_first = page.before, True
        for entry in page.entries:
            self._entries.append(entry)
            self.table.add_row(*_cells(entry, times_of(self)))
        if not self._entries:
            self.query_one("#entry", Static).update("No entries.")

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the entry under the cursor as a whole: a table cuts what is wider than the terminal."""
        if event.cursor_row < len(self._entries):
            self.query_one("#entry", Static).update(_whole(self._entries[event.cursor_row]))


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
