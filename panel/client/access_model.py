"""Tokens, sessions of the panel, and the audit log, as the API answers. Unknown fields are ignored."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class Token(Value):
    """A token without its secret. `apps`: the apps that it is for; None for all."""

    name: str
    scope: str
    apps: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    valid: bool = True


class Tokens(Value):
    tokens: tuple[Token, ...]


class NewToken(Value):
    """The only answer that has the token itself."""

    token: str


class Session(Value):
    """A session of the panel: the name of the token that opened it, and what it may do."""

    token: str
    scope: str
    apps: tuple[str, ...] | None = None
    expires_at: datetime | None = None


class OpenSession(Value):
    """Somebody's open session, by its id, which is no secret. `origin`: the browser's address at sign-in."""

    id: str
    token: str
    origin: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class OpenSessions(Value):
    sessions: tuple[OpenSession, ...]


class NewSession(Session):
    """The only answer that has the session's secret."""

    session: str


class AuditEntry(Value):
    """One request on record. `outcome`: `done`, `refused`, `failed`, or `unknown` if none was recorded."""

    id: int
    at: datetime
    who: str
    origin: str
    action: str
    app: str
    status: int | None = None
    outcome: str
    reason: str = ""


class AuditEntries(Value):
    """A page of the audit log; `before` is that of the next page."""

    entries: tuple[AuditEntry, ...]
    before: int | None = None
