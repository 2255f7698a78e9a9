"""What the colours of an app serve: counted, told apart and ended."""

from __future__ import annotations

from abc import ABC, abstractmethod

from orchestrator.domain.colour import Colour
from orchestrator.domain.in_hand import InHand
from orchestrator.proxy.running_proxy import RunningProxy


class AppSessions(ABC):
    """The part of HAProxy (haproxy.py) that is about sessions."""

    _running: RunningProxy

    async def sessions(self, app: str, colour: Colour, *, instead: bool = False) -> int:
        return await self._running.sessions(*self._of(app, colour, instead))

    async def in_hand(self, app: str, colour: Colour, *, instead: bool = False) -> InHand:
        return await self._running.in_hand(*self._of(app, colour, instead))

    async def cut_long_lived(self, app: str, colour: Colour, older_than_s: float) -> InHand:
        return await self._running.cut_long_lived(older_than_s, *self._servers(app, colour))

    async def cut_sessions(self, app: str, colour: Colour, *, instead: bool = False) -> None:
        await self._running.cut_sessions(*self._of(app, colour, instead))

    def _of(self, app: str, colour: Colour, instead: bool) -> tuple[str, ...]:
        """The other colour's servers are its own, and the one that answers in this colour's place."""
        servers = self._servers(app, colour)
        return (*servers, self._servers(app, colour.other)[1]) if instead else servers

    @abstractmethod
    def _servers(self, app: str, colour: Colour) -> tuple[str, str]:
        """The servers (`backend/server`) that send requests to the container of the colour."""
