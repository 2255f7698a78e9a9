"""One request that asks whether a container is ready."""

from __future__ import annotations

from typing import Protocol

import httpx

from orchestrator.host.bounded_answer import bounded_get

PROBE_TIMEOUT_S = 2.0
"""The time limit of one probe, in seconds, sent to the container or through the proxy."""


class Prober(Protocol):
    """Sends probes to a container directly, not through the proxy."""

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        """Send GET `path` with the header `Host: host`.

        Raises httpx.HTTPError when there is no whole answer within PROBE_TIMEOUT_S seconds. Of a long body the
        beginning is an answer.
        """


class HttpProber:
    """Opens a new connection for each probe: a kept one would not show whether the container accepts connections."""

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        # The probe uses plain HTTP. `verify=False` avoids loading certificates, which takes most of a client's start.
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, verify=False) as client:
            return await bounded_get(client, f"http://{address}:{port}{path}", {"host": host}, PROBE_TIMEOUT_S)
