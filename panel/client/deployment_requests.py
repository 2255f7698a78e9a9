"""The requests of deployments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from panel.client.events import Event
from panel.client.http_request import UPLOAD_TIMEOUT
from panel.client.model import Deployment, Deployments, Plan
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class UploadedArchive(Value):
    """An archive that was uploaded; `archive` is the name by which it is deployed."""

    archive: str
    sha256: str = ""
    bytes: int = 0


class EventPage(Value):
    """Events of one deployment, the oldest first. `after` is the cursor of the next page; None on the last one."""

    events: tuple[Event, ...]
    after: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What to deploy: `ref` of the app's source; or an `image` by its name or id; or an uploaded `archive`, with a
    `version` for people. With none of them, the newest release of the source."""

    ref: str = ""
    image: str = ""
    archive: str = ""
    version: str = ""

    def fields(self) -> dict[str, str]:
        """Without those that an older orchestrator does not know, unless they are used."""
        more = {"image": self.image, "archive": self.archive, "version": self.version}
        return {"ref": self.ref} | {name: text for name, text in more.items() if text}


class DeploymentRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    @abstractmethod
    async def _until_answered(self, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer to a request that may be sent twice: it is sent again for some seconds if its answer is lost."""

    async def deploy(
        self,
        app: str,
        ref: str = "",
        idempotency_key: str = "",
        *,
        migrate: bool = False,
        force: bool = False,
        wanted: Wanted | None = None,
    ) -> Deployment:
        """Request a deployment of `ref`, or of the newest release, or of what is `wanted`. The same key gives the same
        deployment again: with a key, the request is repeated for some seconds when its answer is lost.

        `migrate` allows pending migrations although `update.migrations.auto_run` is off; `force` deploys a release that
        is live already, too.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        what: dict[str, object] = {**(wanted or Wanted(ref)).fields(), "migrate": migrate}
        if force:
            what["force"] = True

        async def ask() -> Deployment:
            return await self._read(Deployment, "POST", f"/v1/apps/{app}/deployments", json=what, headers=headers)

        return await (self._until_answered(ask) if idempotency_key else ask())

    async def upload(self, app: str, content: AsyncIterator[bytes], size: int | None) -> UploadedArchive:
        """Send an archive that is to be deployed. `size` in bytes, if it is known before."""
        headers = {"Content-Type": "application/octet-stream"} | ({} if size is None else {"Content-Length": str(size)})
        path = f"/v1/apps/{app}/archives"
        return await self._read(UploadedArchive, "POST", path, content=content, headers=headers, timeout=UPLOAD_TIMEOUT)

    async def plan(self, app: str, kind: str = "deploy") -> Plan:
        """The steps of a deployment of this kind, without running them."""
        return await self._read(Plan, "GET", f"/v1/apps/{app}/plan", params={"kind": kind})

    async def rollback(self, app: str, restore: str = "", container: str = "") -> Deployment:
        """Roll back to the standby release, and restore the backup `restore` if it is given.

        With `container`, the rollback is refused if that is not the standby's any more.
        """
        wanted = {"restore": restore} | ({"container": container} if container else {})
        return await self._read(Deployment, "POST", f"/v1/apps/{app}/rollback", json=wanted, timeout=None)

    async def cancel(self, deployment: str) -> Deployment:
        return await self._read(Deployment, "POST", f"/v1/deployments/{deployment}/cancel")

    async def deployment(self, deployment: str) -> Deployment:
        return await self._read(Deployment, "GET", f"/v1/deployments/{deployment}")

    async def events_so_far(self, deployment: str, after: int = 0) -> EventPage:
        """A page of the deployment's events with ids above `after`."""
        return await self._read(EventPage, "GET", f"/v1/deployments/{deployment}/events", params={"after": after})

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        """A page of the app's deployments, the newest first; `before` is the cursor that the page before gave."""
        page = {"limit": limit} | ({} if before is None else {"before": before})
        return await self._read(Deployments, "GET", f"/v1/apps/{app}/deployments", params=page)
