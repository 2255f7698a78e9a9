"""The newest numbers for those who watch: once a second, what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field

Numbers = tuple[float | None, float | None, float | None]
"""Requests per second; of the last minute, the share that failed, and the p99 in milliseconds. None: not known."""
IDLE: Numbers = (0.0, None, None)
GAP: Numbers = (None, None, None)
MOST_TICKS = 50


@dataclass
class Sample:
    """The apps whose numbers have changed, and the new ticks of probes."""

    apps: dict[str, Numbers] = field(default_factory=dict)
    ticks: dict[str, str] = field(default_factory=dict)

    def add(self, other: Sample) -> None:
        self.apps |= other.apps
        for app, ticks in other.ticks.items():
            self.ticks[app] = (self.ticks.get(app, "") + ticks)[-MOST_TICKS:]

    def of(self, sees: Callable[[str], bool]) -> Sample:
        """What somebody sees who sees these apps alone."""
        return Sample(
            {app: one for app, one in self.apps.items() if sees(app)},
            {app: one for app, one in self.ticks.items() if sees(app)},
        )

    @property
    def is_empty(self) -> bool:
        return not (self.apps or self.ticks)


class SampleFeed:
    """Tells each follower what has changed since it was told last. One who is slow gets several seconds as one.

    The first sample of a follower has all apps that are not idle, and may be empty. Used on the event loop only.
    """

    def __init__(self) -> None:
        self._told: dict[str, Numbers] = {}
        self._waiting: dict[_Follower, None] = {}

    def tell(self, numbers: Mapping[str, Numbers], ticks: dict[str, str]) -> None:
        """The numbers of all apps; an idle one may be left out."""
        before = self._told
        changed = {app: one for app, one in numbers.items() if before.get(app, IDLE) != one}
        changed |= {app: IDLE for app, one in before.items() if app not in numbers and one != IDLE}
        self._told = {app: one for app, one in numbers.items() if one != IDLE}
        sample = Sample(changed, ticks)
        if not sample.is_empty:
            for follower in self._waiting:
                follower.add(sample)

    async def follow(self) -> AsyncGenerator[Sample, None]:
        """Without end."""
        follower = _Follower()
        follower.add(Sample(dict(self._told)))
        self._waiting[follower] = None
        try:
            while True:
                yield await follower.next()
        finally:
            del self._waiting[follower]


class _Follower:
    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._sample = Sample()

    def add(self, sample: Sample) -> None:
        self._sample.add(sample)
        self._news.set()

    async def next(self) -> Sample:
        await self._news.wait()
        found, self._sample = self._sample, Sample()
        self._news.clear()
        return found
