"""A log that says the same again and again, such as a line for each probe, in a few lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_BLOCK = 4
"""So many lines may be what is repeated."""
LEAST_REPEATED = 4
"""What is there fewer times is shown as it is."""
_DIGITS = re.compile(r"[0-9a-fA-F]+")
"""With a decimal digit in it, what differs between two lines that say the same: times, ports, counts, ids. That is not
a part of the expression, whose time would grow with the square of a line such as `aaaa…`, which an app may print."""


def without_repetition(lines: Sequence[str]) -> list[str]:
    """The lines; of a block that is repeated, the first and the last one, and between them how many are left out."""
    alike = [_DIGITS.sub(lambda found: _without_number(found[0]), line) for line in lines]
    shown: list[str] = []
    at = 0
    while at < len(lines):
        length, times = _repeated(alike, at)
        end = at + length * times
        if times < LEAST_REPEATED:
            shown.append(lines[at])
            at += 1
            continue
        left_out = length * (times - 2)
        shown += [*lines[at : at + length], f"[{left_out} lines like these left out]", *lines[end - length : end]]
        at = end
    return shown


def _without_number(digits: str) -> str:
    return digits if digits.isalpha() else "0"


def _repeated(alike: Sequence[str], at: int) -> tuple[int, int]:
    """The length of the block that begins here and covers most lines by being repeated, and how many times it is."""
    best = (1, 1)
    for length in range(1, LONGEST_BLOCK + 1):
        block, times = alike[at : at + length], 1
        while len(block) == length and alike[at + length * times : at + length * (times + 1)] == block:
            times += 1
        if times >= LEAST_REPEATED and length * times > best[0] * best[1]:
            best = (length, times)
    return best
