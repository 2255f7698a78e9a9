"""Which tests, and which points of a long row, a run of `make test` takes: a part of them, others in each run."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest

T = TypeVar("T")
TURNS = 8
"""Of the tests that take turns, a run takes one in so many."""


@dataclass(frozen=True)
class Takes:
    """A test that takes turns. `alone`: nothing runs beside it; `whole`: its file is taken as one, or left."""

    file: str
    test: str
    alone: bool = False
    whole: bool = False


def of_other_runs(tests: Iterable[Takes], number: int) -> set[str]:
    """The tests that the run of this number leaves to others.

    It takes one in `TURNS` of each file, and of those together that stand in files with fewer tests than that. Those
    that run alone are in neither: they cost twice, and are collected without the rest. Of the files that are taken as
    one, whose setup takes longer than most of their tests, it takes one in `TURNS`.
    """
    known = list(tests)
    sizes = Counter(one.file for one in known if not one.alone)
    pools: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in known:
        if one.whole:
            pools["whole files"][one.file].append(one.test)
        elif one.alone:
            pools["alone"][one.test].append(one.test)
        else:
            pools[one.file if sizes[one.file] >= TURNS else "small files"][one.test].append(one.test)
    left: set[str] = set()
    for name, parts in pools.items():
        count = len(parts) - max(1, round(len(parts) / TURNS))
        for part in random.Random(f"{number} {name}").sample(sorted(parts), count):
            left.update(parts[part])
    return left


class Turns:
    """Of one test. The number of the run (`--first`) and the name of the test are all that its choices come from."""

    def __init__(self, config: pytest.Config, test: str) -> None:
        self._soak = bool(config.getoption("--soak"))
        self._thorough = bool(config.getoption("--thorough"))
        self._dice = random.Random(f"{config.getoption('--first')} {test}")

    def of(self, points: Sequence[T], *, one_in: int, thorough: int = 1) -> Sequence[T]:
        """Every `one_in`-th of these points, at least one; every `thorough`-th with `make test-all`; all in a soak."""
        stride = 1 if self._soak else thorough if self._thorough else one_in
        if not points:
            return points
        return points[self._dice.randrange(min(stride, len(points))) :: stride]
