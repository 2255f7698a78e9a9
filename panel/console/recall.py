"""The lines that were typed before, as ↑ ↓ and Ctrl+R go through them."""

from __future__ import annotations

from collections.abc import Iterable

MOST_LINES = 500


class Recall:
    """What was typed when the going began stands below the newest line, and comes back."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines: list[str] = []
        for line in lines:
            self.add(line)
        self._at = len(self._lines)
        self._draft = ""
        self._wanted = ""

    def add(self, line: str) -> None:
        """Add a line that was entered, unless it is the newest one, and go on below it."""
        if line and (not self._lines or self._lines[-1] != line):
            self._lines = [*self._lines, line][-MOST_LINES:]
        self.stop()

    def stop(self) -> None:
        """The person types: the next going begins at the newest line."""
        self._at, self._draft, self._wanted = len(self._lines), "", ""

    def older(self, typed: str) -> str:
        """The line before this one; what is `typed` if there is none."""
        if self._at == len(self._lines):
            self._draft = typed
        if self._at == 0:
            return typed
        self._at -= 1
        return self._lines[self._at]

    def newer(self, typed: str) -> str:
        """The line after this one, at last what was typed before the going."""
        if self._at == len(self._lines):
            return typed
        self._at += 1
        return self._draft if self._at == len(self._lines) else self._lines[self._at]

    def search(self, typed: str) -> str | None:
        """The next older line that has what was typed when the search began; None if there is none."""
        if self._at == len(self._lines):
            self._draft = self._wanted = typed
        wanted = self._wanted.lower()
        for number in range(self._at - 1, -1, -1):
            if wanted in self._lines[number].lower() and self._lines[number] != typed:
                self._at = number
                return self._lines[number]
        return None
