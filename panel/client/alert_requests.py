"""The requests of alerts, and of apps that are muted."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, TypeVar

from panel.client.alert_model import Alerts, Mute
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class AlertRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def alerts(
        self, app: str = "", since: datetime | None = None, limit: int = 50, before: int | None = None
    ) -> Alerts:
        """A page of alerts, the newest first; of one app, or of all. `since`: those that have not ended before then."""
        wanted: dict[str, str | int] = {"app": app, "limit": limit}
        wanted |= {"since": since.isoformat()} if since else {}
        wanted |= {"before": before} if before is not None else {}
        return await self._read(Alerts, "GET", "/v1/alerts", params=wanted)

    async def mute(self, app: str, hours: float | None = None) -> Mute:
        """Tell people nothing of the app for so many hours; None: as long as the orchestrator does by itself."""
        wanted = None if hours is None else {"hours": hours}
        return await self._read(Mute, "PUT", f"/v1/apps/{app}/mute", json=wanted)

    async def unmute(self, app: str) -> Mute:
        return await self._read(Mute, "DELETE", f"/v1/apps/{app}/mute")
