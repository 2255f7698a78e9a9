"""Which known words a mistyped one is near to."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 40
"""Longer words are no typing mistakes, and take time to compare."""


def distance(one: str, other: str) -> int:
    """How many letters are to be added, removed, replaced or exchanged with the next one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, row, last = row, [i], before
        for j, its in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known words with the smallest distance that a slip can explain: 1 up to four letters, otherwise 2."""
    word = word.lower()
    if len(word) > LONGEST or len(word) < 3:
        return ()
    most = 1 if len(word) <= 4 else 2
    found = [
        (distance(word, one.lower()), one) for one in known if abs(len(one) - len(word)) <= most and len(one) <= LONGEST
    ]
    least = min((far for far, _ in found), default=most + 1)
    return tuple(sorted(one for far, one in found if far == least)) if least <= most else ()
