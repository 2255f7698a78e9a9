"""The proxy's internal frontend: a socket in the shared volume, at which a header chooses the app or the backend."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path

import httpx

from orchestrator.errors import ProxyError
from orchestrator.host.local_get import local_get
from orchestrator.proxy.haproxy_config import HEADER_APP, HEADER_BACKEND

DEFAULT_TIMEOUT_S = 5.0


class InternalWay:
    """Sends requests to an app by its route, or to one of its backends."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "internal.sock"

    async def ask_app(self, app: str, path: str, *, host: str) -> httpx.Response:
        return await self._get(path, {"host": host, HEADER_APP: app}, app, DEFAULT_TIMEOUT_S)

    async def ask_backend(
        self, backend: str, path: str, *, host: str, whose: str, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> httpx.Response:
        return await self._get(path, {"host": host, HEADER_BACKEND: backend}, whose, timeout_s)

    async def open_websocket(self, backend: str, path: str, timeout_s: float, *, host: str) -> str:
        """The first line of the answer to an opening handshake (RFC 6455, section 4); empty if there is none in time.

        A line that is too long is no answer either.
        """
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{HEADER_BACKEND}: {backend}\r\n\r\n"
        )
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except OSError as error:
            raise ProxyError(f"The proxy does not answer on {self._socket.name}: {error.strerror}.") from error
        try:
            writer.write(request.encode())
            async with asyncio.timeout(timeout_s):
                return (await reader.readline()).decode(errors="replace").strip()
        except (TimeoutError, OSError, ValueError):
            return ""
        finally:
            writer.close()

    async def _get(self, path: str, headers: dict[str, str], whose: str, timeout_s: float) -> httpx.Response:
        try:
            return await local_get(self._socket, path, headers, timeout_s)
        except httpx.HTTPError as error:
            raise ProxyError(f"No answer from {whose} through the proxy: {error or type(error).__name__}.") from error
