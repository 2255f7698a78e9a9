"""Text without the characters that a terminal obeys, that turn text around, or that no encoding has."""

from __future__ import annotations

import re
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_STRING = "\x90\x98\x9d\x9e\x9f"
"""The introducers of control strings as single characters: DCS, SOS, OSC, PM, APC (ECMA-48, section 5.6)."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, questions to the terminal
    rf"|(?:\x1b[\]PX^_]|[{_STRING}])[^\n\x07\x1b\x9c{_STRING}]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # all other escape sequences
)
_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators; bidirectional marks, overrides and isolates
    "\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible, and of no use in a message
    "\U000e0000-\U000e007f"  # tags: invisible text
    "\ud800-\udfff]"  # lone surrogates
)


def plain(text: str) -> str:
    """The text without escape sequences, control characters, bidirectional overrides and lone surrogates.

    Tabs and newlines stay; other breaks of a line become a space, lone surrogates the replacement character.
    """
    if not _UNWANTED.search(text):
        return text
    text = _SEQUENCE.sub("", text)
    text = _BREAK.sub(lambda found: "\n" if found[0] == "\r\n" else " ", text)
    return _UNWANTED.sub("", _SURROGATE.sub(REPLACEMENT, text))


def one_line(text: str) -> str:
    """As `plain`, as a single line: for cells of tables, titles and sentences."""
    return " ".join(plain(text).split())


def plain_values(value: Any) -> Any:  # Any: JSON
    """As `plain`, for every text in a JSON value, the names of its fields included."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(name) if isinstance(name, str) else name: plain_values(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(one) for one in value]
    return value
