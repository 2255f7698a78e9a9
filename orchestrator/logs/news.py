"""That something has happened to an app, for those who follow its log: another container may be the one they want."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.domain.events import Occurrence


class LogNews:
    """A notifier (events/notifier.py). On the event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        for one in self._waiting.get(app, ()):
            one.set()

    @contextmanager
    def of(self, app: str) -> Iterator[asyncio.Event]:
        """An event that is set each time something has happened to the app; whoever waits for it clears it."""
        news = asyncio.Event()
        self._waiting.setdefault(app, set()).add(news)
        try:
            yield news
        finally:
            self._waiting[app].discard(news)
            if not self._waiting[app]:
                del self._waiting[app]
