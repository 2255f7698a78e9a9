"""The audit log: who did what, from where, and the outcome."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Static

from panel.client.client import Client
from panel.widgets.events.audit_table import AUDIT_KEYS, AuditTable
from panel.widgets.key_line import KeyLine
from panel.widgets.title_line import TitleLine


class AuditScreen(Screen[None]):
    """Of everything. It needs a token with scope admin."""

    BINDINGS = [
        Binding("escape", "close", "Back", key_display="Esc", tooltip="Go back to the dashboard"),
        *AUDIT_KEYS,
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("Audit log", classes="heading", id="title")
        yield AuditTable(self._client, takes_focus=True)
        yield KeyLine()

    def action_close(self) -> None:
        self.dismiss()

    def action_more(self) -> None:
        self.query_one(AuditTable).more()

    def action_refused(self) -> None:
        """Show only what was refused or failed, or everything again."""
        entries = self.query_one(AuditTable)
        entries.toggle_refused()
        shown = "Audit log: refused and failed requests" if entries.refused_only else "Audit log"
        self.query_one("#title", Static).update(shown)
