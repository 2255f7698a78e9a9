"""The output of a one-off command: whole for a program, limited and plain for a person, and saying what is missing."""

from __future__ import annotations

import sys
from typing import Any

from panel.cli.output import FAILED, err, json_text
from panel.cli.read_ahead import ERR, OUT, Written, text_for
from panel.cli.runner_commands import GuardedStream, HarmlessBytes, is_log_of_the_job
from panel.client.one_off import Piece

SIGPIPE = 128 + 13
"""What a shell reports of a command whose reader has left, such as `head`."""


class CommandOutput:
    """What is to be written of each piece as it comes. `in_bytes`: standard output was asked for byte for byte.

    In a CI job whose runner reads it, instead of a file or another program, it obeys none of these bytes either.
    """

    def __init__(self, *, as_json: bool, in_bytes: bool) -> None:
        self._as_json = as_json
        self._in_bytes = in_bytes
        self._missing = ""
        is_read_by_runner = in_bytes and isinstance(sys.stdout, GuardedStream) and is_log_of_the_job(OUT)
        self._guard = HarmlessBytes() if is_read_by_runner else None

    def shown(self, piece: Piece, answer: Any) -> list[Written]:  # Any: the piece as it was sent, in JSON
        if self._as_json:
            if piece.note or piece.cut:
                self._missing = (
                    "The output is not whole: with --json it is limited to 5,000 lines of 4 KiB. "
                    "Leave out --json, and send the output to a file or a pipe: then all of it comes."
                )
            return [text_for(OUT, json_text(answer))]
        if piece.output is not None:
            return [(OUT, self._guard.piece(piece.output) if self._guard else piece.output)]
        if piece.error is not None:
            return [text_for(ERR, piece.error)]
        if piece.note:
            with err.capture() as says:
                err.print(piece.line, style="yellow", markup=False)
                err.print("For all of it, send the output to a file or a pipe.", style="yellow")
            return [text_for(ERR, says.get().removesuffix("\n"))]
        return self._line(piece.line) if piece.line is not None else []

    def rest(self) -> list[Written]:
        """What is left when all pieces have come."""
        left = self._guard.end() if self._guard else b""
        return [(OUT, left)] if left else []

    def exit_code(self, of_the_command: int, *, late: bool) -> int:
        """The exit code of the command, but never 0 when something is missing. Says on standard error what is."""
        if self._missing:
            err.print(self._missing, style="red", markup=False)
        if self._guard and self._guard.changed:
            err.print(
                "The output has lines that the runner of this CI job would obey; each got a blank. Send it to a file "
                "or a pipe: then it is as it was.",
                style="yellow",
            )
        return of_the_command or (FAILED if self._missing or late else 0)

    def _line(self, line: str) -> list[Written]:
        if self._in_bytes:
            self._missing = (
                "The output may be cut or changed: the orchestrator is older than this command, and sends lines only. "
                "Upgrade the orchestrator (make up), then run the command again."
            )
        return [text_for(OUT, line)]
