"""When and how containers ended by themselves, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

REMEMBERED_S = 600.0
"""How long a crash counts, in seconds."""
TWO_WITHIN_S = 60.0
THREE_WITHIN_S = 120.0
FIRST_HOLD_S = 10.0
LONGEST_HOLD_S = 300.0


def hold_s(crashes: Sequence[float], now: float) -> float:
    """How long the active container must have run before the traffic goes back to it, in seconds since its last crash.

    0 after one crash; then 10 s, twice as much with each further crash in ten minutes, and five minutes at most: the
    requests in hand are lost at each crash, so a release that crashes again and again does not get the traffic.
    """
    count = len(recent(crashes, now))
    return 0.0 if count <= 1 else min(FIRST_HOLD_S * 2.0 ** min(count - 2, 10), LONGEST_HOLD_S)


def is_loop(crashes: Sequence[float], now: float) -> bool:
    """Whether a container is not healthy, although it answers now: two crashes in a minute, or three in two minutes."""
    return _count(crashes, now, TWO_WITHIN_S) >= 2 or _count(crashes, now, THREE_WITHIN_S) >= 3


def recent(crashes: Sequence[float], now: float) -> list[float]:
    return [at for at in crashes if now - at < REMEMBERED_S]


def _count(crashes: Sequence[float], now: float, within_s: float) -> int:
    return len([at for at in crashes if now - at < within_s])


def ended_in_words(exit_code: int, *, oom: bool) -> str:
    """How a container ended, as the end of a sentence about it."""
    return "was killed because it exceeded its memory limit" if oom else f"exited with code {exit_code}"
