"""The output of a one-off command: whole for a program, limited and plain for a person, and saying what is missing."""

from __future__ import annotations

from typing import Any

from panel.cli.output import FAILED, err, json_text
from panel.cli.read_ahead import ERR, OUT, Written, text_for
from panel.client.one_off import Piece

SIGPIPE = 128 + 13
"""What a shell reports of a command whose reader has left, such as `head`."""


class CommandOutput:
    """What is to be written of each piece as it comes. `in_bytes`: standard output was asked for byte for byte."""

    def __init__(self, *, as_json: bool, in_bytes: bool) -> None:
        self._as_json = as_json
        self._in_bytes = in_bytes
        self._missing = ""

    def shown(self, piece: Piece, answer: Any) -> list[Written]:  # Any: the piece as it was sent, in JSON
        if self._as_json:
            if piece.note or piece.cut:
                self._missing = (
                    "The output is not whole: with --json it is limited to 5,000 lines of 4 KiB. "
                    "Leave out --json, and send the output to a file or a pipe: then all of it comes."
                )
            return [text_for(OUT, json_text(answer))]
        if piece.output is not None:
            return [(OUT, piece.output)]
        if piece.error is not None:
            return [text_for(ERR, piece.error)]
        if piece.note:
            with err.capture() as says:
                err.print(piece.line, style="yellow", markup=False)
                err.print("For all of it, send the output to a file or a pipe.", style="yellow")
            return [text_for(ERR, says.get().removesuffix("\n"))]
        return self._line(piece.line) if piece.line is not None else []

    def exit_code(self, of_the_command: int, *, late: bool) -> int:
        """The exit code of the command, but never 0 when something is missing. Says on standard error what is."""
        if self._missing:
            err.print(self._missing, style="red", markup=False)
        return of_the_command or (FAILED if self._missing or late else 0)

    def _line(self, line: str) -> list[Written]:
        if self._in_bytes:
            self._missing = (
                "The output may be cut or changed: the orchestrator is older than this command, and sends lines only. "
                "Upgrade the orchestrator (make up), then run the command again."
            )
        return [text_for(OUT, line)]
