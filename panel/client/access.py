"""The requests of access: tokens, sessions of the panel, and the audit log."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from panel.client.access_model import (
    AuditEntries,
    NewSession,
    NewToken,
    OpenSession,
    OpenSessions,
    Session,
    Token,
    Tokens,
)
from panel.client.permission import Permission
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class AccessRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @cached_property
    def permission(self) -> Permission:
        """What the token may do, as far as it was asked."""
        return Permission()

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    @abstractmethod
    async def _ask(self, method: str, path: str, **request: Any) -> Any:  # Any: JSON
        ...

    async def tokens(self) -> tuple[Token, ...]:
        return (await self._read(Tokens, "GET", "/v1/tokens")).tokens

    async def create_token(
        self, name: str, scope: str, apps: Sequence[str] = (), expires_in_s: int | None = None
    ) -> str:
        """Create a token and return it. `apps`: empty for all apps. `expires_in_s`: None for never."""
        wanted = {"name": name, "scope": scope, "apps": list(apps) or None, "expires_in": expires_in_s}
        return (await self._read(NewToken, "POST", "/v1/tokens", json=wanted)).token

    async def revoke_token(self, name: str) -> None:
        # In the query: tokens of earlier versions may be called `a/b` or `..`.
        await self._ask("DELETE", "/v1/tokens", params={"name": name})

    async def audit(
        self, limit: int = 50, before: int | None = None, *, app: str = "", who: str = "", refused: bool = False
    ) -> AuditEntries:
        """A page of the audit log, the newest entries first. `refused`: only what was refused or failed."""
        wanted: dict[str, str | int] = {"limit": limit, "app": app, "who": who, "refused": str(refused).lower()}
        if before is not None:
            wanted["before"] = before
        return await self._read(AuditEntries, "GET", "/v1/audit", params=wanted)

    # Sessions of the panel

    async def open_session(self) -> NewSession:
        """Open a session of the panel for this client's token."""
        return await self._read(NewSession, "POST", "/v1/sessions")

    async def session(self, *, used: bool = False) -> Session:
        """The session that this client uses. `used`: a person uses it now."""
        return await self._read(Session, "GET", "/v1/sessions/current", params={"used": str(used).lower()})

    async def end_session(self) -> None:
        await self._ask("DELETE", "/v1/sessions/current")

    async def sessions(self) -> tuple[OpenSession, ...]:
        """The open sessions of all people, the last used first."""
        return (await self._read(OpenSessions, "GET", "/v1/sessions")).sessions

    async def end_session_of(self, session: str) -> None:
        """End the session with this id."""
        await self._ask("DELETE", f"/v1/sessions/{quote(session, safe='')}")
