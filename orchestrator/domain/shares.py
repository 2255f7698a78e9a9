"""Room that several share: how much of it each may have."""

from __future__ import annotations

from collections.abc import Iterable


def fair_share(counts: Iterable[int], most: int) -> int:
    """The largest number for which all fit into `most` if whoever has more is cut to it.

    So whoever has little loses nothing to whoever has much. `most` itself if all fit as they are.
    """
    left, ascending = most, sorted(counts)
    for others, count in zip(range(len(ascending), 0, -1), ascending, strict=True):
        if count * others > left:
            return left // others
        left -= count
    return most
