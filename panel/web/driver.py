"""Textual's web driver, with the packets that move a session from one process to another.

It adds packets: `adopt` (assign a session to this process), `save` (save the state now) and `paint` (answer when the
next screen is painted) from the server, and `painted`, `saved` and `signed_out` to the server.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from textual.drivers.web_driver import WebDriver
from textual.message import Message

LIFELINE = "PANEL_LIFELINE"
"""The file descriptor of a pipe whose other end the server keeps open. End of file means that the server has ended;
Textual's own driver ignores the end of its input and would not end."""


class Adopted(Message):
    """The server has assigned a session to this process."""

    def __init__(self, session: str, token: str) -> None:
        super().__init__()
        self.session = session
        self.token = token


class PaintWanted(Message):
    """The server asks whether the app still paints."""


class SaveWanted(Message):
    """The server is about to close the session."""


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
        elif packet_type == "paint":
            self._app.post_message(PaintWanted())
        else:
            super().on_meta(packet_type, payload)
