"""The requests of notices: a test of the services that are told something."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

import httpx

from panel.client.value import Value

V = TypeVar("V", bound=Value)
TEST_WITHIN = httpx.Timeout(90, connect=5)
"""A service has 20 s, and the process that sends as long to begin; both is measured by the orchestrator."""


class ServiceAnswer(Value):
    """What one service answered. `service` names its kind, and where its URL stands."""

    service: str
    taken: bool
    says: str = ""
    seconds: float = 0.0


class NoticeTest(Value):
    """`problems`: what is wrong with files of URLs."""

    services: tuple[ServiceAnswer, ...]
    problems: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return not self.problems and all(one.taken for one in self.services)


class NoticeRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def test_notices(self, app: str = "") -> NoticeTest:
        """Send a test to the services that are told what happens to an app; without one, to all."""
        path = f"/v1/apps/{app}/notices/test" if app else "/v1/notices/test"
        return await self._read(NoticeTest, "POST", path, timeout=TEST_WITHIN)
