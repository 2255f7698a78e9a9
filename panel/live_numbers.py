"""The numbers of every app as the panel knows them now: what they were at its start, and the samples since."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from panel.client.traffic_model import Traffic
from panel.client.traffic_sample import Sample
from panel.widgets.apps.numbers import NO_NUMBERS, Numbers

KEPT_S = 60
"""Requests a second are kept for so long."""
PROBES = 50


class _Known:
    """What is known of one app."""

    def __init__(self) -> None:
        self.requests: deque[float | None] = deque(maxlen=KEPT_S)
        self.now: float | None = 0.0
        self.errors: float | None = None
        self.p99: float | None = None
        self.probes = ""

    @property
    def numbers(self) -> Numbers:
        return Numbers(tuple(self.requests), self.errors, self.p99, self.probes)


class LiveNumbers:
    """A sample has only the apps whose numbers have changed: `tick` goes on with the others as they were."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._numbers: dict[str, Numbers] = {}

    def begin(self, traffic: Traffic) -> None:
        """Take what the orchestrator has known so far."""
        self._known = {}
        for app, found in traffic.apps.items():
            known = self._known[app] = _Known()
            known.requests.extend(found.requests[-KEPT_S:])
            known.now = found.requests[-1] if found.requests else 0.0
            known.errors, known.p99, known.probes = found.errors, found.p99, found.ticks[-PROBES:]
        self._numbers = {app: known.numbers for app, known in self._known.items()}

    def take(self, sample: Sample) -> None:
        for app, (now, errors, p99) in sample.apps.items():
            known = self._known.setdefault(app, _Known())
            known.now, known.errors, known.p99 = now, errors, p99
        for app, ticks in sample.ticks.items():
            known = self._known.setdefault(app, _Known())
            known.probes = (known.probes + ticks)[-PROBES:]

    def tick(self, apps: Iterable[str], *, known: bool) -> None:
        """A second has gone by. `known`: whether the orchestrator answers; else there is a gap."""
        configured = set(apps)
        for app in configured - self._known.keys():
            self._known[app] = _Known()
        for app in self._known.keys() - configured:
            del self._known[app]
        for one in self._known.values():
            one.requests.append(one.now if known else None)
        self._numbers = {app: one.numbers for app, one in self._known.items()}

    def of(self, app: str) -> Numbers:
        return self._numbers.get(app, NO_NUMBERS)
