"""Tokens: their digests, scopes, apps, expiry and revocation.

Secrets are never stored, only their SHA-256 digests: they have 256 random bits, so that no salt is needed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.access import Scope, Token
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned, zoned_if_any


class Tokens(Database):
    """Queries of tokens."""

    def add_token(
        self,
        name: str,
        secret: str,
        scope: Scope,
        apps: tuple[str, ...] | None = None,
        expires_at: datetime | None = None,
    ) -> bool:
        """Add a token. False if there is or was one of this name: several may be created at once."""
        row = {
            "name": name, "digest": digest_of(secret), "scope": scope, "created_at": stored(now()),
            "apps": None if apps is None else list(apps), "expires_at": stored(expires_at),
        }  # fmt: skip
        with self._writing() as connection:
            if connection.execute(self._tokens.select().where(self._tokens.c.name == name)).first():
                return False
            connection.execute(self._tokens.insert().values(row))
        return True

    def token(self, secret: str) -> Token | None:
        """The token with this secret, valid or not; None if there is none."""
        return self._token(self._tokens.c.digest == digest_of(secret))

    def token_named(self, name: str) -> Token | None:
        return self._token(self._tokens.c.name == name)

    def tokens(self) -> list[Token]:
        """All tokens, the oldest first."""
        with self._reading() as connection:
            rows = connection.execute(self._tokens.select().order_by(self._tokens.c.created_at)).mappings()
            return [_token_of(row) for row in rows]

    def revoke_token(self, name: str) -> bool:
        """Revoke a token. False if no token of this name is left to revoke."""
        mine = (self._tokens.c.name == name) & self._tokens.c.revoked_at.is_(None)
        with self._writing() as connection:
            return connection.execute(self._tokens.update().where(mine).values(revoked_at=stored(now()))).rowcount > 0

    def _token(self, which: sa.ColumnElement[bool]) -> Token | None:
        with self._reading() as connection:
            row = connection.execute(self._tokens.select().where(which)).mappings().first()
        return _token_of(row) if row else None


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _token_of(row: Any) -> Token:  # Any: SQLAlchemy's RowMapping is untyped for reflected tables
    return Token(
        name=row["name"],
        scope=Scope(row["scope"]),
        apps=None if row["apps"] is None else tuple(row["apps"]),
        created_at=zoned(row["created_at"]),
        expires_at=zoned_if_any(row["expires_at"]),
        revoked_at=zoned_if_any(row["revoked_at"]),
    )
