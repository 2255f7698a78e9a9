"""The output of a one-off command: whole for a program, limited and plain for a person, and saying what is missing."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import typer

from panel.cli.output import FAILED, err, json_text, print_text, stop
from panel.cli.slow_reader import SlowReader
from panel.client.errors import ClientError, Unreachable
from panel.client.one_off import Piece

SIGPIPE = 128 + 13
"""What a shell reports of a command whose reader has left, such as `head`."""


class CommandOutput:
    """Prints each piece as it comes. `in_bytes`: the standard output was asked for byte for byte."""

    def __init__(self, *, as_json: bool, in_bytes: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = SlowReader(clock)
        self._as_json = as_json
        self._in_bytes = in_bytes
        self._missing = ""

    def show(self, piece: Piece, answer: Any) -> None:  # Any: the piece as it was sent, in JSON
        """Ends the command when the output cannot be written."""
        with self._reader.taking():
            self._print(piece, answer)

    def broke_off(self, error: Unreachable) -> ClientError:
        """What to say of a connection that broke, perhaps because the reader of the output took nothing."""
        return self._reader.explains(error, "The output is not whole, and the command was ended")

    def _print(self, piece: Piece, answer: Any) -> None:  # Any: as above
        if self._as_json:
            print(json_text(answer), flush=True)
            if piece.note or piece.cut:
                self._missing = (
                    "The output is not whole: with --json it is limited to 5,000 lines of 4 KiB. "
                    "Leave out --json, and send the output to a file or a pipe: then all of it comes."
                )
        elif piece.output is not None:
            _write(base64.b64decode(piece.output))
        elif piece.error is not None:
            print(piece.error, file=sys.stderr, flush=True)
        elif piece.note:
            err.print(piece.line, style="yellow", markup=False)
            err.print("For all of it, send the output to a file or a pipe.", style="yellow")
        elif piece.line is not None:
            self._show_line(piece.line)

    def exit_code(self, of_the_command: int, *, late: bool) -> int:
        """The exit code of the command, but never 0 when something is missing. Says on standard error what is."""
        if self._missing:
            err.print(self._missing, style="red", markup=False)
        return of_the_command or (FAILED if self._missing or late else 0)

    def _show_line(self, line: str) -> None:
        if self._in_bytes:
            self._missing = (
                "The output may be cut or changed: the orchestrator is older than this command, and sends lines only. "
                "Upgrade the orchestrator (make up), then run the command again."
            )
        print_text(line)


def _write(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What waits in the buffer cannot be written either, at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(SIGPIPE) from None
        stop(
            f"The output cannot be written: {error.strerror}. What was written is not whole, and the command is ended. "
            "Make room, or choose another place.",
            FAILED,
        )
