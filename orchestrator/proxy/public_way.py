"""Where the proxy's public frontend sends the requests of an app: asked by its hosts and path, answered by the proxy.

The proxy chooses as it does for every request, and then answers itself with what it has chosen, so that the app is not
asked and has nothing in its log.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from orchestrator.errors import ProxyError
from orchestrator.host.local_get import local_get
from orchestrator.proxy.routes import AppRoute

SOCKET = "check.sock"
MOST_HOSTS = 20
"""So many hosts of an app are asked for; each is one entry of a map, and costs a request to the proxy."""
WITHIN_S = 2.0
"""For all hosts of an app together."""
ANY_HOST = "check.invalid"
"""The host of a request to an app that takes any: no app can have it (RFC 2606, section 2)."""


class PublicWay:
    """Asks at the socket that only the shared volume gives."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / SOCKET

    async def why_not(self, route: AppRoute, backend: str) -> str:
        """Why requests do not reach `backend` by the route; empty if they do. Raises ProxyError without an answer."""
        if not (route.hosts or route.path or route.default):
            return ""
        path = f"{route.path or ''}/"
        try:
            async with asyncio.timeout(WITHIN_S):
                for host in route.hosts[:MOST_HOSTS] or (ANY_HOST,):
                    if why := await self._why_not(host, path, route.app, backend):
                        return why
        except TimeoutError as error:
            raise ProxyError(f"The proxy did not say within {WITHIN_S:g} s where {route.app}'s route leads.") from error
        return ""

    async def _why_not(self, host: str, path: str, app: str, backend: str) -> str:
        try:
            answer = await local_get(self._socket, path, {"host": host}, WITHIN_S)
        except httpx.HTTPError as error:
            raise ProxyError(
                f"The proxy does not say where {app}'s route leads: {error or type(error).__name__}."
            ) from error
        chosen, _, leads_to = answer.text.strip().partition(" ")
        url = path if host == ANY_HOST else f"{host}{path}"
        if answer.status_code == 404:
            return f"the proxy knows no app for {url}"
        if answer.status_code != 200:
            return f"the proxy answers {url} with status {answer.status_code}"
        if chosen != app:
            return f"the proxy sends {url} to another app, '{chosen}'"
        if leads_to != backend:
            return f"the proxy sends {url} to {leads_to}, and not to {backend}, the active release"
        return ""
