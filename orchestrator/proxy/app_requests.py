"""Our own requests to an app: by its route, to one of its colours, or to its candidate."""

from __future__ import annotations

from abc import ABC, abstractmethod

import httpx

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.haproxy_config import HEADER_SERVED_BY
from orchestrator.proxy.internal_way import InternalWay
from orchestrator.proxy.public_way import PublicWay
from orchestrator.proxy.routes import AppRoute


class AppRequests(ABC):
    """The part of HAProxy (haproxy.py) that sends requests to apps."""

    _internal: InternalWay
    _public: PublicWay

    async def ask(self, app: str, path: str) -> httpx.Response:
        return await self._internal.ask_app(app, path, host=self.route(app).probe_host)

    async def unreached(self, app: str) -> str:
        route = self.route(app)
        return await self._public.why_not(route, self._backend(app, route.active)) if route.active else ""

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        return await self._ask_backend(app, self._backend(app, colour), path, f"{app} ({colour})", timeout_s)

    async def ask_preview(self, app: str, path: str, timeout_s: float) -> httpx.Response:
        return await self._ask_backend(app, self._preview(app), path, f"the candidate of {app}", timeout_s)

    async def open_preview_websocket(self, app: str, path: str, timeout_s: float) -> str:
        host = self.route(app).probe_host
        return await self._internal.open_websocket(self._preview(app), path, timeout_s, host=host)

    async def _ask_backend(self, app: str, backend: str, path: str, whose: str, timeout_s: float) -> httpx.Response:
        host = self.route(app).probe_host
        return await self._internal.ask_backend(backend, path, host=host, whose=whose, timeout_s=timeout_s)

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        answer = await self.ask(app, path)
        served_by = _served_by(answer)
        if served_by != f"{self._backend(app, colour)}/{ServerName.APP}":
            raise ProxyError(
                f"The switch of {app} to {colour} was not confirmed: {served_by or 'no container'} answered."
            )
        if answer.status_code >= 500:
            raise ProxyError(
                f"The switch of {app} to {colour} was not confirmed: {path} has status {answer.status_code}."
            )

    @abstractmethod
    def route(self, app: str) -> AppRoute:
        """The app's current route. Raises ProxyError for an app that is not in the configuration."""

    @abstractmethod
    def _backend(self, app: str, colour: Colour) -> str:
        """The backend of a colour."""

    @abstractmethod
    def _preview(self, app: str) -> str:
        """The backend of the candidate."""


def _served_by(answer: httpx.Response) -> str:
    return str(answer.headers.get(HEADER_SERVED_BY, ""))
