"""The request for the configuration of an app."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from panel.client.configuration_model import Configuration
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class ConfigurationRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def configuration(self, app: str) -> Configuration:
        """The values in effect, where each comes from, and what was changed since the live release was deployed."""
        return await self._read(Configuration, "GET", f"/v1/apps/{app}/configuration")
