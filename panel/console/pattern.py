"""The form of a command's patterns, and what matches one.

A pattern is words. `<show>` is one of a set of words (`words.py`), `(a|b c)` one of these, `[x]` may be left out, and
`{app}` is a slot, which takes what the person typed there.
"""

from __future__ import annotations

import re
from functools import cache

from panel.console.words import WORDS

APP, UNKNOWN = "\x01", "\x02"
"""The signs before a word that is an app's name, or that may be meant as one. Nobody can type them."""
SHAPES = {
    "app": f"[{APP}{UNKNOWN}][^ ]+",
    "number": r"[0-9]{1,4}",
    "deployment": r"(?=[a-z]*[0-9])[0-9a-z]{3,40}",
    "backup": r"(?=[^ 0-9]*[0-9])[^ ]+",
    "level": f"(?:{WORDS['levels']})",
    "version": f"[^ {APP}{UNKNOWN}]+",
}
"""What a slot of one word takes. The others take several."""
_PIECE = re.compile(r"<(?P<set>\w+)>|\{(?P<slot>\w+)\}|(?P<sign>[()|\[\]])|(?P<word>[^\s<>{}()|\[\]]+)")
_SIGNS = {"(": "(?:", ")": ")", "|": "|", "[": "(?:", "]": ")?"}


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression for a text in which a space stands before each word."""
    made = []
    for piece in _PIECE.finditer(pattern):
        if name := piece["set"]:
            made.append("(?:" + "|".join(_words(words) for words in _longest_first(WORDS[name])) + ")")
        elif slot := piece["slot"]:
            made.append(rf" (?P<{slot}>{SHAPES.get(slot, '.+?')})")
        elif sign := piece["sign"]:
            made.append(_SIGNS[sign])
        else:
            made.append(_words(piece["word"]))
    return re.compile("".join(made), re.IGNORECASE)


def match(pattern: str, text: str) -> dict[str, str] | None:
    """The values of the slots if the text matches as a whole; None if it does not."""
    found = compiled(pattern).fullmatch(text)
    given = found.groupdict() if found else {}
    return {name: unsigned(value) for name, value in given.items() if value} if found else None


def unsigned(text: str) -> str:
    """Without the signs before apps."""
    return text.replace(APP, "").replace(UNKNOWN, "")


@cache
def vocabulary(patterns: tuple[str, ...]) -> frozenset[str]:
    """Every word that stands in one of the patterns."""
    words: set[str] = set()
    for pattern in patterns:
        for piece in _PIECE.finditer(pattern):
            named = "levels" if piece["slot"] == "level" else piece["set"]
            words.update((WORDS[named].replace("|", " ") if named else piece["word"] or "").split())
    return frozenset(words)


def _longest_first(words: str) -> list[str]:
    """`search for` before `search`: the rest would be taken for a value."""
    return sorted(words.split("|"), key=lambda one: -len(one.split()))


def _words(words: str) -> str:
    return "".join(f" {re.escape(word)}" for word in words.split())
