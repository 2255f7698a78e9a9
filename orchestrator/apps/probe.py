"""One request that asks whether a container is ready."""

from __future__ import annotations

from typing import Protocol

import httpx

PROBE_TIMEOUT_S = 2.0
"""How long one probe waits for its answer, in seconds, whether it goes to the container itself or through the proxy."""


class Prober(Protocol):
    """Asks a container itself, past the proxy."""

    async def ask(self, address: str, port: int, path: str) -> httpx.Response:
        """GET `path`. Raises httpx.HTTPError when there is no answer within PROBE_TIMEOUT_S."""


class HttpProber:
    """A connection per probe: a kept one would tell nothing about whether new ones are accepted."""

    async def ask(self, address: str, port: int, path: str) -> httpx.Response:
        # Plain HTTP on this host: without certificates to load, a client is made in no time.
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, verify=False) as client:
            return await client.get(f"http://{address}:{port}{path}")
