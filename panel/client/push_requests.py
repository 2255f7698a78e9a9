"""The requests of pushes: the secret by which they are signed, and what became of them."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, TypeVar

from panel.client.value import Value

V = TypeVar("V", bound=Value)


class Hook(Value):
    """`forge`: github, gitlab, gitea, forgejo or registry."""

    forge: str
    path: str


class PushSecret(Value):
    """A new secret, the file that has it, and the hooks that take what is signed by it, below `url`."""

    secret: str
    file: str
    url: str
    hooks: tuple[Hook, ...]


class PushCheck(Value):
    """What became of a push. `state`: waiting, nothing_new, deployment or failed."""

    id: str
    state: str
    forge: str
    requested_at: datetime
    version: str
    deployment: str
    says: str


class PushChecks(Value):
    checks: tuple[PushCheck, ...]


class PushRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def make_push_secret(self, app: str, *, replace: bool = False) -> PushSecret:
        """Write a new secret into the file that the configuration names. Raises Refused if there is one already."""
        return await self._read(PushSecret, "POST", f"/v1/apps/{app}/push-secret", json={"replace": replace})

    async def push_checks(self, app: str, limit: int = 20) -> tuple[PushCheck, ...]:
        """The checks that pushes asked for, the newest first."""
        path = f"/v1/apps/{app}/update/checks"
        return (await self._read(PushChecks, "GET", path, params={"limit": limit})).checks
