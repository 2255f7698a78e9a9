"""The requests of the traffic of apps."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, TypeVar

from panel.client.traffic_model import AppTraffic, Traffic
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class TrafficRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def traffic(self, seconds: int = 60) -> Traffic:
        """The requests of every app by the second, of so many last seconds (600 at most), and how they went."""
        return await self._read(Traffic, "GET", "/v1/traffic", params={"seconds": seconds})

    async def app_traffic(self, app: str, since: int | datetime = 600) -> AppTraffic:
        """What was asked of an app since a moment, or so many seconds ago, at most 7 days.

        The steps are of 1 s for 10 minutes, 10 s for 6 hours, and else 1 minute.
        """
        wanted = since.isoformat() if isinstance(since, datetime) else str(since)
        return await self._read(AppTraffic, "GET", f"/v1/apps/{app}/traffic", params={"since": wanted})
