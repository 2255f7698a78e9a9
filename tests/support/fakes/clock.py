"""A clock that stands still until somebody moves it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Called, it gives the moment, as `orchestrator.clock.now` does."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._moment

    def go_on(self, by: timedelta) -> None:
        self._moment += by
