"""Textual's web driver, with what a panel that outlives its process needs.

Three packets more than the stock one: `adopt` (whose session this process is from now on), `save` (write the state
down now) and, from here to the server, `painted` and `saved`.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from textual.drivers.web_driver import WebDriver
from textual.message import Message

LIFELINE = "PANEL_LIFELINE"
"""Number of a pipe's end that the server holds open. Its end of file means that the server is gone: the stock driver
would go on for ever, since it takes no notice of the end of its input."""


class Adopted(Message):
    """This process belongs to a session now."""

    def __init__(self, session: str, token: str) -> None:
        super().__init__()
        self.session = session
        self.token = token


class SaveWanted(Message):
    """The server is about to close this session."""


class PanelDriver(WebDriver):
    def start_application_mode(self) -> None:
        super().start_application_mode()
        if lifeline := os.environ.get(LIFELINE):
            asyncio.get_running_loop().add_reader(int(lifeline), os._exit, 0)

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:  # Any: as the stock driver has it
        if packet_type == "adopt":
            self._app.post_message(Adopted(str(payload["session"]), str(payload["token"])))
        elif packet_type == "save":
            self._app.post_message(SaveWanted())
        else:
            super().on_meta(packet_type, payload)
