"""One request that asks whether a container is ready."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

import httpx

from orchestrator.clock import elapsed
from orchestrator.host.bounded_answer import bounded_get

IDLE_TIMEOUT_S = 0.5
LOOKS = 3
"""How often in a row it must look so: on a machine that is busy for a moment, any answer is late once."""
PROBE_TIMEOUT_S = 2.0
"""The time limit of one probe, in seconds, sent to the container or through the proxy."""


class Prober(Protocol):
    """Sends probes to a container directly, not through the proxy."""

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        """Send GET `path` with the header `Host: host`.

        Raises httpx.HTTPError when there is no whole answer within PROBE_TIMEOUT_S seconds. Of a long body the
        beginning is an answer.
        """

    async def waits_for_idle_connections(self, address: str, port: int, path: str, *, host: str) -> bool:
        """Whether a request is not answered before an idle connection, which the container has kept open, is closed."""


class HttpProber:
    """Opens a new connection for each probe: a kept one would not show whether the container accepts connections."""

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        async with _transport() as transport:
            return await bounded_get(transport, f"http://{address}:{port}{path}", {"host": host}, PROBE_TIMEOUT_S)

    async def waits_for_idle_connections(self, address: str, port: int, path: str, *, host: str) -> bool:
        url, headers = f"http://{address}:{port}{path}", {"host": host}
        for _ in range(LOOKS):
            if not await _waits_for_idle(url, headers):
                return False
        return True


async def _waits_for_idle(url: str, headers: dict[str, str]) -> bool:
    async with _transport() as idle, _transport() as other:
        with suppress(httpx.HTTPError):
            began = elapsed()
            await bounded_get(idle, url, headers, PROBE_TIMEOUT_S)
            # A slow answer alone is no sign.
            patience_s = max(IDLE_TIMEOUT_S, 3 * (elapsed() - began))
            waiting = asyncio.create_task(bounded_get(other, url, headers, patience_s + PROBE_TIMEOUT_S))
            try:
                await asyncio.wait([waiting], timeout=patience_s)
                if waiting.done():
                    return False
                await idle.aclose()
                await waiting
                return True
            finally:
                waiting.cancel()
    # It does not answer now: that is no sign of how it serves connections.
    return False


def _transport() -> httpx.AsyncHTTPTransport:
    """For plain HTTP to a container: without certificates, whose loading takes most of a start, and not by a proxy
    server that the environment names for this host's way to the internet."""
    return httpx.AsyncHTTPTransport(verify=False, trust_env=False)
