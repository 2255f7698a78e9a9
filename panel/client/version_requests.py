"""The requests of versions: checks, what is dismissed and skipped, and the list of a source."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from panel.client.update_model import Update
from panel.client.value import Value
from panel.client.version_model import Version, Versions

V = TypeVar("V", bound=Value)


class VersionRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    @abstractmethod
    async def _ask(self, method: str, path: str, **request: Any) -> Any:  # Any: JSON
        ...

    @abstractmethod
    def _value(self, kind: type[V], answer: Any) -> V:  # Any: JSON
        ...

    async def check(self, app: str, *, afresh: bool = False) -> Update | None:
        """Ask the app's source for an update now; None when there is none. `afresh`: past all caches."""
        asks = {"params": {"afresh": "true"}} if afresh else {}
        # The orchestrator ends a check by itself, after minutes: a large repository is fetched for it.
        found = await self._ask("POST", f"/v1/apps/{app}/update/check", timeout=None, **asks)
        return self._value(Update, found) if found else None

    async def dismiss(self, app: str, version: str = "") -> None:
        """Do not show for 24 hours the app's update, or why its newest release is not offered: if it is this `version`
        that is shown, or whatever is."""
        await self._ask("POST", f"/v1/apps/{app}/update/dismiss", json={"version": version})

    async def versions(self, app: str) -> tuple[Version, ...]:
        """The versions that the app's source has, the newest first."""
        return (await self._read(Versions, "GET", f"/v1/apps/{app}/update/versions", timeout=None)).versions

    async def skip(self, app: str, version: str, *, undo: bool = False) -> None:
        """Never offer this version; with `undo`, offer it again."""
        await self._ask("POST", f"/v1/apps/{app}/update/skip", json={"version": version, "undo": undo})
