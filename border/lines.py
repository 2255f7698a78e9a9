"""Lines of output without secrets, also where a secret is split by the end of a line."""

from __future__ import annotations

import re
from bisect import bisect_right

from border.plain import plain
from border.secrets import BEGINNING, Secrets
from border.urls import HIDDEN

SHOWN = BEGINNING
"""A line that ends with so many characters of a secret's beginning is kept back until the next line shows whether it is
one. Fewer are shown at once: they give nothing away, and every other line ends so."""
MOST_HELD = 64
"""At most so many lines are kept back."""
_BUILDKIT = re.compile(r"#\d+ (?:\d+\.\d+ )?")
"""What BuildKit's plain progress writes before each line of a command's output."""


class CutLine(str):
    """A line of which a part is missing; it says so itself."""


class SecretLines:
    """Takes lines one after another, and gives those that may be shown, in their order, each made plain."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._held: list[str] = []
        self._shown = ""
        """The end of what was given already."""

    def take(self, line: str, missing: str = "") -> list[str]:
        """The lines that may be shown now that this one came. `missing` replaces the end of a line that was cut."""
        longest = self._secrets.longest
        line = self._secrets.text(line)
        if missing:
            line = CutLine(_without_beginning(line, self._secrets) + missing)
        if not longest:
            return [line]
        self._held.append(line)
        self._hide_across_lines()
        first_needed = self._first_needed()
        give, self._held = self._held[:first_needed], self._held[first_needed:]
        self._remember(give, longest)
        return give

    def close(self) -> list[str]:
        """The lines that were kept back: no other one follows."""
        held, self._held = self._held, []
        return held

    def _hide_across_lines(self) -> None:
        """Hide the parts of secrets that begin in a line and end in a later one. Whole ones are hidden already."""
        text, places = self._joined()
        while found := self._secrets.find(text):
            self._hide(places, *found)
            before, (text, places) = text, self._joined()
            if text == before:
                return  # it stands in what was given already

    def _hide(self, places: list[tuple[int, int, int]], start: int, end: int) -> None:
        for number, (begins, offset, length) in enumerate(places):
            first, last = max(start, begins), min(end, begins + length)
            if first < last:
                line = self._held[number]
                left, right = offset + first - begins, offset + last - begins
                self._held[number] = type(line)(line[:left] + HIDDEN + line[right:])

    def _joined(self) -> tuple[str, list[tuple[int, int, int]]]:
        """What was shown and the lines kept back as one text, without what separates lines; and for each of these
        lines: where it begins in the text, where its content begins in the line, and the content's length."""
        text, places = self._shown, []
        for line in self._held:
            prefix = _BUILDKIT.match(line)
            content = line[prefix.end() if prefix else 0 :]
            offset = len(line) - len(content.lstrip())
            places.append((len(text), offset, len(content.strip())))
            text += content.strip()
        return text, places

    def _first_needed(self) -> int:
        """The number of lines of those kept back that may be shown: up to the one in which a secret may begin."""
        text, places = self._joined()
        length = _beginning_at_end(text, self._secrets)
        if length < SHOWN:
            return len(self._held)
        begins = len(text) - length
        first = next((number for number, place in enumerate(places) if place[0] + place[2] > begins), len(places))
        return max(first, len(self._held) - MOST_HELD)

    def _remember(self, given: list[str], longest: int) -> None:
        contents = [_BUILDKIT.sub("", line, count=1).strip() for line in given]
        self._shown = (self._shown + "".join(contents))[-longest:] if contents else self._shown


def end_of_cut_line(before: str, end: str, secrets: Secrets) -> str:
    """The end of a line that was cut, as it may be shown. `before`: what stands before it, at least as long as the
    longest secret, or all of it.

    A secret that begins in what is left out is hidden, and a word with credentials that may begin there is left out.
    """
    before, end = plain(before), plain(end)
    text, shown = before + end, len(before)
    if (first := secrets.shown_from(text, shown)) > shown:
        return secrets.text(HIDDEN + text[first:])
    word, space, rest = end.partition(" ")
    if "@" in word:
        end = rest if space else word.rpartition("@")[2]
    return secrets.text(end)


def _beginning_at_end(text: str, secrets: Secrets) -> int:
    """The length of the longest end of the text with which a secret begins, without being whole; 0 if that has fewer
    than SHOWN characters.

    It is asked of every line of a log: only where the first characters of a secret stand, the rest is compared.
    """
    in_order, beginnings = secrets.in_order, secrets.beginnings
    end = text[-(secrets.longest - 1) :]
    for start in range(len(end) - SHOWN + 1):
        if end[start : start + SHOWN] in beginnings:
            # Of all forms that begin so, the first one stands where the end itself would stand.
            place = bisect_right(in_order, end[start:])
            if place < len(in_order) and in_order[place].startswith(end[start:]):
                return len(end) - start
    return 0


def _without_beginning(line: str, secrets: Secrets) -> str:
    """A line that was cut, without the beginning of a secret at its end."""
    length = _beginning_at_end(line, secrets) if secrets.longest else 0
    return line[: len(line) - length] + HIDDEN if length >= SHOWN else line
