"""How long requests took, counted in buckets whose limits grow by 2 %: percentiles of them are at most 1 % off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

BASE = 1.02
_LOG_BASE = math.log(BASE)
Buckets = dict[int, int]
"""Bucket -> requests. Those of two times, or of two colours, are merged by addition."""
UNDER_1_MS = -1


def bucket_of(ms: int) -> int:
    return round(math.log(ms) / _LOG_BASE) if ms > 0 else UNDER_1_MS


def ms_of(bucket: int) -> float:
    """The middle of a bucket, in milliseconds; 0 for less than one."""
    return 0.0 if bucket == UNDER_1_MS else BASE**bucket


def add(buckets: Buckets, more: Mapping[int, int]) -> None:
    for bucket, count in more.items():
        buckets[bucket] = buckets.get(bucket, 0) + count


def take_away(buckets: Buckets, fewer: Mapping[int, int]) -> None:
    """Remove what was added before."""
    for bucket, count in fewer.items():
        left = buckets.get(bucket, 0) - count
        if left > 0:
            buckets[bucket] = left
        else:
            buckets.pop(bucket, None)


def percentiles(buckets: Mapping[int, int], shares: Iterable[float]) -> tuple[float, ...]:
    """The smallest times, in milliseconds, within which these shares of the requests were answered, in rising order.

    `shares` rise, too. NaN for each without any request.
    """
    total, seen, wanted = sum(buckets.values()), 0, list(shares)
    if not total:
        return tuple(math.nan for _ in wanted)
    found: list[float] = []
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        while len(found) < len(wanted) and seen >= math.ceil(wanted[len(found)] * total - 1e-9):
            found.append(ms_of(bucket))
    return tuple(found)
