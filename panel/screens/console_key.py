"""The key of the dashboard that opens the console."""

from __future__ import annotations

from textual.binding import Binding

from panel.client.client import Client
from panel.clock import Clock
from panel.console.memory import Memory
from panel.screens.alert_keys import AlertKeys
from panel.widgets.console.console import Console

CONSOLE_KEY = Binding("colon", "console", "Console", key_display=":", tooltip="Type commands in plain words")


class ConsoleKey(AlertKeys):
    """A screen with a console, whose turns `memory` keeps."""

    def __init__(self, client: Client, clock: Clock, memory: Memory) -> None:
        super().__init__(client, clock)
        self.memory = memory

    def action_console(self) -> None:
        """Open the console."""
        self.query_one(Console).open()
