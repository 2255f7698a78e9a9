"""How a value may be written as the text of its bytes: in base64 and in hexadecimal digits."""

from __future__ import annotations

from base64 import b64encode

LONGEST = 1024
"""Of a longer value, only its lines are looked for in these forms, in bytes."""
_URL_SAFE = str.maketrans("+/", "-_")
_OF_OTHERS = {0: 0, 1: 2, 2: 3}
"""So many first characters of base64 have bits of the bytes before the value, by the number of these bytes modulo 3."""
_NOT_WHOLE = {0: 0, 1: 3, 2: 2}
"""So many last characters are padding, or have bits of what follows, by the number of all bytes modulo 3."""


def binary_forms(value: str) -> set[str]:
    """The forms of a value wherever it stands in what was encoded: `Authorization: Basic` has the password behind the
    user's name, and `echo` adds the end of a line."""
    content = value.encode(errors="replace")
    if len(content) > LONGEST:
        return set()
    whole = b64encode(content).decode()
    base64 = {whole, *(_inner(content, before) for before in range(3))}
    return {*base64, *(one.translate(_URL_SAFE) for one in base64), content.hex(), content.hex().upper()}


def _inner(content: bytes, before: int) -> str:
    """What base64 always has for this content behind `before` other bytes."""
    text = b64encode(bytes(before) + content).decode()
    return text[_OF_OTHERS[before] : len(text) - _NOT_WHOLE[(before + len(content)) % 3]]
