"""Which points of a pipeline the orchestrator is killed at on the real engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_of_each_kind(points: Iterable[str], kinds: Iterable[str]) -> list[Any]:
    """All points as parameters of a test; those that are not in `kinds` with `make soak` only.

    The unit tests prove every point on fakes; `kinds` has one for each way in which the real engine and proxy are left.
    """
    shown = set(kinds)
    assert shown <= set(points), shown - set(points)
    return [point if point in shown else pytest.param(point, marks=pytest.mark.soak) for point in points]
