"""Textual's driver of a terminal, and its parser of keys, for which answers of the terminal are not keys."""

from __future__ import annotations

import os
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Iterable
from contextlib import suppress

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from panel.keys.typed import Typed

POLL_S = 0.1
CHUNK = 4096


class KeyParser(XTermParser):
    """Textual's parser turns every sequence that it does not know into keys; this one gets none that is an answer."""

    def __init__(self, debug: bool = False) -> None:
        self._typed = Typed(time.monotonic)
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed("")  # the end of the input
        elif typed := self._typed.take(data):
            yield from super().feed(typed)

    def tick(self) -> Iterable[Message]:
        if late := self._typed.late():
            yield from super().feed(late)
        yield from super().tick()


class TerminalDriver(LinuxDriver):
    """Its input thread is that of LinuxDriver with another parser: Textual has no way to replace the parser alone."""

    def run_input_thread(self) -> None:
        parser = KeyParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(POLL_S):
                    for message in parser.feed(decode(os.read(self.fileno, CHUNK)) or ""):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass
