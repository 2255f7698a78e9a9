"""The tab Deployments: a timeline, each of whose entries opens its steps, its output and its failure."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Static

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import Deployment
from panel.clock import Clock
from panel.text.age import ago
from panel.text.history import state_now
from panel.text.outcome import why_unbegun
from panel.text.shortened import shortened
from panel.widgets.table import Table

COLUMNS = ("When", "State", "Version", "Took", "By", "Why")
MARKS = {"live": "●", "standby": "◐", "failed": "✗", "cancelled": "–", "running": "…", "queued": "…"}
SHOWN = 50
LONGEST_VERSION = 24


class DeploymentsPane(Vertical):
    """Asks for the history of the app when it is shown, and again when `again` says that something has happened."""

    class Opened(Message):
        def __init__(self, deployment: Deployment) -> None:
            super().__init__()
            self.deployment = deployment

    DEFAULT_CSS = """
    DeploymentsPane > Table { height: 1fr; }
    DeploymentsPane > Static { height: auto; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__()
        self._client, self._clock = client, clock
        self._app = ""
        self._table, self._said = Table(), Static()
        self._shown: dict[str, Deployment] = {}

    def compose(self) -> ComposeResult:
        yield self._table
        yield self._said

    def on_mount(self) -> None:
        self._table.cursor_type = "row"
        for column in COLUMNS:
            self._table.add_column(column, key=column)
        if self._app:
            self._load(self._app)

    def show_app(self, name: str) -> None:
        if name != self._app:
            self._app = name
            self._shown = {}
            self._table.clear()
        if self._table.columns:  # or else it is not mounted yet
            self._load(name)

    def again(self, app: str) -> None:
        """Something happened to a deployment of this app."""
        if app == self._app and self._table.columns:
            self._load(app)

    @work(exclusive=True, group="history")
    async def _load(self, app: str) -> None:
        try:
            page = await self._client.history(app, limit=SHOWN)
        except ClientError as error:
            self._said.update(Text(f"✗ {error}"))
            return
        if app == self._app:
            self._draw(page.deployments, more=page.before is not None)

    def _draw(self, deployments: tuple[Deployment, ...], *, more: bool) -> None:
        table = self._table
        chosen = self._chosen
        self._shown = {one.id: one for one in deployments}
        with table.filled_anew():
            for one in deployments:
                table.add_row(*self._cells(one), key=one.id)
            if chosen in self._shown:
                table.move_cursor(row=table.get_row_index(chosen))
        says = f"The newest {SHOWN}; all of them: changeover history {self._app}" if more else ""
        self._said.update(Text(says if deployments else "No deployments yet."))

    def _cells(self, one: Deployment) -> tuple[Text, ...]:
        state = state_now(one)
        kind = "" if one.kind == "deploy" else f" ({one.kind})"
        return (
            Text(ago(one.requested_at, self._clock())),
            Text(f"{MARKS.get(state, '○')} {state}{kind}"),
            Text(shortened(one_line(one.version), LONGEST_VERSION) or "–"),
            Text(f"{one.seconds:.1f} s" if one.seconds is not None else "–"),
            Text(one_line(one.requested_by)),
            Text(one_line(one.failure.cause if one.failure else why_unbegun(one))),
        )

    @property
    def _chosen(self) -> str:
        """The deployment under the cursor."""
        table = self._table
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value) if table.row_count else ""

    def on_data_table_row_selected(self, message: DataTable.RowSelected) -> None:
        message.stop()
        if opened := self._shown.get(str(message.row_key.value)):
            self.post_message(self.Opened(opened))
