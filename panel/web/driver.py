"""Textual's web driver, with the packets that move a session from one process to another.

It adds packets: `adopt` (assign a session to this process), `save` (save the state now), `paint` (answer when the next
screen is painted), `replaced` (another release of the panel is live), `hidden` and `shown` (nobody looks at the page,
or somebody does) from the server, and `painted`, `saved`, `signed_out`, `counts` (the person is told that it was
replaced) and `moves` (the page may go there) to the server.
"""

from __future__ import annotations

import asyncio
import os
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Any

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver
from textual.message import Message

STDIN = 0
READ_BYTES = 65536
LIFELINE = "PANEL_LIFELINE"
"""The file descriptor of a pipe whose other end the server keeps open. End of file means that the server has ended;
Textual's own driver ignores the end of its input and would not end."""


class Adopted(Message):
    """The server has assigned a session to this process."""

    def __init__(self, session: str, token: str, zone: str) -> None:
        super().__init__()
        self.session = session
        self.token = token
        self.zone = zone


class PaintWanted(Message):
    """The server asks whether the app still paints."""


class SaveWanted(Message):
    """The server is about to close the session."""


class Hidden(Message):
    """Nobody looks at the page."""


class Shown(Message):
    """Somebody looks at the page again."""


class Replaced(Message):
    """Another release of the panel gets the traffic."""


class PanelDriver(WebDriver):
    """Reads its input on the event loop: the stock driver has a thread for it, which wakes ten times a second.

    Pictures are kept from the page until `show`.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: as the stock driver has it
        super().__init__(*arguments, **named)
        self._is_shown = True  # what prepares the terminal is
        self._packets = ByteStream()
        self._parser = XTermParser(debug=self._debug)
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode

    def start_application_mode(self) -> None:
        super().start_application_mode()
        self._is_shown = False
        loop = asyncio.get_running_loop()
        loop.add_reader(STDIN, self._read)
        if lifeline := os.environ.get(LIFELINE):
            loop.add_reader(int(lifeline), os._exit, 0)

    def show(self) -> None:
        """From now on, the page gets what is painted. The app has to paint the whole screen next."""
        self._is_shown = True

    def write(self, data: str) -> None:
        if self._is_shown:
            super().write(data)

    def stop_application_mode(self) -> None:
        asyncio.get_running_loop().remove_reader(STDIN)
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Nothing: see `_read`."""

    def _read(self) -> None:
        data = os.read(STDIN, READ_BYTES)
        if not data:
            asyncio.get_running_loop().remove_reader(STDIN)
            return
        for kind, payload in self._packets.feed(data):
            if kind == "D":
                self._pass_on(self._parser.feed(self._decode(payload)))
                asyncio.get_running_loop().call_later(2 * ESCAPE_DELAY, self._tick)
            else:
                self._on_meta(kind, payload)

    def _tick(self) -> None:
        """The end of a sequence has not come in time: what has come is keys."""
        self._pass_on(self._parser.tick())

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:  # Any: as the stock driver has it
        if packet_type == "adopt":
            self._app.post_message(Adopted(str(payload["session"]), str(payload["token"]), str(payload["zone"])))
        elif packet_type == "save":
            self._app.post_message(SaveWanted())
        elif packet_type == "replaced":
            self._app.post_message(Replaced())
        elif packet_type == "paint":
            self._app.post_message(PaintWanted())
        elif packet_type == "hidden":
            self._app.post_message(Hidden())
        elif packet_type == "shown":
            self._app.post_message(Shown())
        else:
            super().on_meta(packet_type, payload)
