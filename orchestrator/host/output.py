"""What a command prints, as lines: whole, plain, within limits, without secrets, and saying what was left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from border.lines import SecretLines, end_of_cut_line
from border.secrets import Secrets

MOST_LINES = 5000
"""So many lines of one command are passed on as they come."""
LAST_LINES = 100
"""Of what is printed beyond MOST_LINES, so many last lines are passed on when the command has ended."""
MOST_KEPT = 2000
"""So many of the lines that must be heard are passed on beyond MOST_LINES. An app decides what its lines look like."""
LINE_BYTES = 4096
"""A longer line is cut to this length, where the caller does not allow longer ones."""
END_BYTES = 1024
"""So many of them are the end of a line that is cut, the others its beginning. An error that is printed after a line
without an end is joined to it, and is the reason that everybody looks for."""
BEFORE_BYTES = 1024
"""So much of what stands before that end is looked at, and more if a secret is longer: it may begin with the rest of an
address with a password, or of a header."""
MOST_OF_CHARACTER = 4
"""So many bytes has a character at most."""


class Note(str):
    """A line that is not the command's own: it says how many lines were left out. `unheard` of them must be heard."""

    unheard = 0


@dataclass
class _Begun:
    """A line that has begun on one stream: what is shown of it, and how many bytes are not. `border` keeps back lines
    of this stream with which a secret may begin."""

    border: SecretLines
    line: bytearray = field(default_factory=bytearray)
    cut: int = 0
    end: bytes = b""
    """The end of a line that is too long: more of it than is shown, so that a secret is found whole."""


class Output:
    """Takes bytes as they arrive and passes lines on, without control characters and without `known_secrets`.

    A line of one stream is whole, and so is a secret in several lines, whatever another one writes meanwhile.
    Memory is limited whatever the command prints. `must_be_heard` chooses lines of which MOST_KEPT are passed on beyond
    MOST_LINES. A log that is followed has no limit in lines (`is_log`).
    """

    def __init__(
        self,
        on_line: Callable[[str], None],
        must_be_heard: Callable[[str], bool] = lambda _line: False,
        line_bytes: int = LINE_BYTES,
        known_secrets: Secrets | None = None,
        *,
        is_log: bool = False,
    ) -> None:
        self._on_line = on_line
        self._line_bytes = line_bytes
        self._must_be_heard = must_be_heard
        self._is_log = is_log
        self._secrets = known_secrets or Secrets()
        self._begun: dict[int, _Begun] = {}
        self._passed = 0
        self._kept = 0
        self._left_out = 0
        self._unheard = 0
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def feed(self, chunk: bytes, stream: int = 1) -> None:
        if (begun := self._begun.get(stream)) is None:
            begun = self._begun[stream] = _Begun(SecretLines(self._secrets))
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._add(begun, part)
            self._end_line(begun)
        self._add(begun, rest)

    def close(self) -> None:
        """The command has ended: pass on what is left, and say how many lines were left out."""
        for begun in self._begun.values():
            if begun.line or begun.cut:
                self._end_line(begun)
            for line in begun.border.close():
                self._pass_on(line)
        if self._left_out:
            before = self._left_out - len(self._last)
            note = Note(f"[{before} lines left out: a command's output is limited to {MOST_LINES} lines]")
            note.unheard = self._unheard
            self._on_line(note)
            for line in self._last:
                self._on_line(line)

    def _add(self, begun: _Begun, part: bytes) -> None:
        room = self._line_bytes - len(begun.line)
        begun.line += part[:room]
        if len(part) > room:
            begun.cut += len(part) - room
            # A character of a secret may take four bytes.
            kept = END_BYTES + BEFORE_BYTES + 4 * self._secrets.longest
            begun.end = ((begun.end or bytes(begun.line[-kept:])) + part[room:][-kept:])[-kept:]

    def _end_line(self, begun: _Begun) -> None:
        missing = self._cut_out(begun) if begun.cut else ""
        text = begun.line.decode(errors="replace").rstrip("\r")
        begun.line.clear()
        begun.cut, begun.end = 0, b""
        for line in begun.border.take(text, missing):
            self._pass_on(line)

    def _cut_out(self, begun: _Begun) -> str:
        """Cut the line to its beginning. Returns what stands in its place from there on: how much is missing, and its
        end. No character is cut in two: of a secret, a part would be taken for another text."""
        shown = min(END_BYTES, self._line_bytes // 2)
        begins = _between_characters(begun.line, self._line_bytes - shown, -1)
        ends = _between_characters(begun.end, len(begun.end) - shown, 1)
        left_out = begun.cut + len(begun.line) - begins - (len(begun.end) - ends)
        del begun.line[begins:]
        before, end = (part.decode(errors="replace") for part in (begun.end[:ends], begun.end[ends:]))
        said = end_of_cut_line(before, end.rstrip("\r"), self._secrets)
        return f" [{left_out} bytes left out]{said and f' {said}'}"

    def _pass_on(self, text: str) -> None:
        if self._is_log or self._passed < MOST_LINES:
            self._passed += 1
            self._on_line(text)
            return
        must_be_heard = self._must_be_heard(text)
        if must_be_heard and self._kept < MOST_KEPT:
            self._kept += 1
            self._on_line(text)
            return
        self._unheard += must_be_heard
        self._left_out += 1
        self._last.append(text)


def _between_characters(part: bytes | bytearray, place: int, step: int) -> int:
    """The first place from this one on, in steps of 1 or -1, at which no character is cut; this one if there is none
    near: then it is no text."""
    for at in range(place, place + step * MOST_OF_CHARACTER, step):
        # In UTF-8, a byte within a character begins with the bits 10 (RFC 3629).
        if at in (0, len(part)) or part[at] & 0xC0 != 0x80:
            return at
    return place
