"""Which points of a pipeline the orchestrator is killed at on the real engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_of_each_kind(
    points: Iterable[str], kinds: Iterable[str], *, soak_on_postgresql: Iterable[str] = ()
) -> list[Any]:
    """All points as parameters of a test; those that are not in `kinds` with `make soak` only.

    The unit tests prove every point on fakes; `kinds` has one for each way in which the real engine and proxy are left.
    What is the same on every database need not be shown on each: `soak_on_postgresql`.
    """
    known, shown, once = list(points), set(kinds), set(soak_on_postgresql)
    assert shown | once <= set(known), shown | once

    def marks(point: str) -> list[pytest.MarkDecorator]:
        if point not in shown:
            return [pytest.mark.soak]
        return [pytest.mark.soak_on("postgresql")] if point in once else []

    return [pytest.param(point, marks=marks(point)) for point in known]
