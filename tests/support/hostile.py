"""Text that strangers write: control characters, escape sequences, text turned around, markup, lone surrogates."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import strategies as st

QUESTION = "\x1b]11;?\x1b\\"
"""Asks a terminal for its background colour; the answer has a `b`."""
TRICKS = (
    QUESTION, "\x1b]11;?\x07", "\x1b[c", "\x1b[6n", "\x1b[2J\x1b[H", "\x1b[31m", "\x1bP+q544e\x1b\\", "\x9d11;?\x9c",
    "\x9b6n", "\x1b", "\x1b]", "\x00", "\x07", "\x08", "\r", "\x7f", "\x85", "\u202e", "\u2066", "\u200f", "\ufeff",
    "\ud800", "\udfff", "\U000e0041", "[bold]", "[/]", "[/bold]", "[@click=app.quit]", "[link=http://x]", "\\", "]",
)  # fmt: skip
KEPT = "\n\t"
TURNS_TEXT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def hostile_text(max_size: int = 12) -> st.SearchStrategy[str]:
    """Any characters at all, lone surrogates included, among the tricks."""
    any_characters = st.text(st.characters(), max_size=5)
    return st.lists(st.one_of(st.sampled_from(TRICKS), any_characters), max_size=max_size).map("".join)


def forbidden_in(text: str) -> set[str]:
    """The characters of a text that may not be kept or shown."""
    return {
        character
        for character in text
        if character not in KEPT
        and (unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in TURNS_TEXT)
    }


def forbidden_anywhere(value: Any) -> set[str]:  # Any: JSON
    """As `forbidden_in`, for all texts of a JSON value."""
    if isinstance(value, dict):
        return {found for one in (*value.keys(), *value.values()) for found in forbidden_anywhere(one)}
    if isinstance(value, list | tuple):
        return {found for one in value for found in forbidden_anywhere(one)}
    return forbidden_in(value) if isinstance(value, str) else set()
