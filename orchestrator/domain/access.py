"""Who may do what: tokens, sessions of the panel, and the entries of the audit log, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SESSION_LASTS = timedelta(days=7)
"""After this time a person signs in again, however much the panel was used."""
SESSION_IDLE = timedelta(hours=12)
"""A session in which nobody pressed a key for this long has ended."""


class Scope(StrEnum):
    """What a token may do. Each scope includes those before it.

    `read` shows; `deploy` changes which release is live, and removes no data; `admin` also replaces data, and manages
    tokens.
    """

    READ = "read"
    DEPLOY = "deploy"
    ADMIN = "admin"

    def covers(self, other: Scope) -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Token:
    """A token without its secret. `apps`: the apps it is for; None: all of them."""

    name: str
    scope: Scope
    apps: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def invalid_because(self, moment: datetime) -> str:
        """Why it is not accepted at this moment, as a sentence; empty if it is."""
        if self.revoked_at:
            return f"Token '{self.name}' is revoked."
        if self.expires_at and moment >= self.expires_at:
            return f"Token '{self.name}' has expired ({self.expires_at:%Y-%m-%d %H:%M} UTC)."
        return ""


@dataclass(frozen=True)
class PanelSession:
    """A person's session in the panel, opened with a token. `origin`: the address of the browser, as the panel saw it.

    It may do what its token may do, except for making tokens and sessions.
    """

    digest: str
    token: str
    origin: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def id(self) -> str:
        """Names the session for people. It is no secret: the digest cannot be turned back."""
        return self.digest[:12]

    def invalid_because(self, moment: datetime) -> str:
        """Why it has ended at this moment, as a sentence; empty if it has not."""
        if self.ended_at:
            return "The session of the panel has ended."
        if moment >= self.expires_at:
            return "The session of the panel has expired."
        if moment - self.used_at >= SESSION_IDLE:
            return "The session of the panel has ended because it was not used."
        return ""


@dataclass(frozen=True)
class AuditEntry:
    """One request on record: who sent it from where, and its outcome.

    `who` is the token's name, empty if there was none. `status` is that of the HTTP answer; None if the request has not
    ended, or the orchestrator stopped before it had. `reason` says why a request was refused or failed.
    """

    id: int
    at: datetime
    who: str
    origin: str
    action: str
    app: str
    status: int | None
    reason: str
