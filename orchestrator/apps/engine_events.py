"""The engine's events, told to those that act on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from orchestrator.engine.base import OPENED, ContainerEvent, Engine, Role
from orchestrator.errors import EngineError

log = structlog.get_logger()

PAUSES_S = (0.2, 1.0, 5.0)


class Listener(Protocol):
    """Hears of the events of app containers. Both methods return at once."""

    def heard(self, event: ContainerEvent) -> None: ...

    def missed(self) -> None:
        """Events may have been lost: whatever was known of the containers may be wrong."""


class EngineEvents:
    """One watch of the engine for all listeners. `follow` runs until it is cancelled."""

    def __init__(self, engine: Engine, listeners: Sequence[Listener]) -> None:
        self._engine = engine
        self._listeners = listeners

    async def follow(self) -> None:
        """Tell each event to all listeners, until cancelled. Reconnects with a growing pause.

        What happened before the stream was open is missed.
        """
        failures = 0
        while True:
            try:
                async for event in self._engine.watch():
                    if event == OPENED:
                        for listener in self._listeners:
                            listener.missed()
                        continue
                    failures = 0
                    if event.role == Role.APP and event.app:
                        for listener in self._listeners:
                            listener.heard(event)
            except EngineError as error:
                pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
                failures += 1
                log.warning("engine events interrupted", cause=error.cause, again_in_s=pause)
                await asyncio.sleep(pause)
