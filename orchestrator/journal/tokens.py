"""Tokens: their digests, scopes and revocation."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored


class Tokens(Database):
    """Queries of tokens."""

    def add_token(self, name: str, secret: str, scope: str) -> None:
        with self._writing() as connection:
            row = {"name": name, "digest": _digest(secret), "scope": scope, "created_at": stored(now())}
            connection.execute(self._tokens.insert().values(row))

    def token(self, secret: str) -> tuple[str, str] | None:
        """The name and scope of a token; None if it is unknown or revoked."""
        mine = (self._tokens.c.digest == _digest(secret)) & self._tokens.c.revoked_at.is_(None)
        with self._reading() as connection:
            row = connection.execute(self._tokens.select().where(mine)).mappings().first()
        return (row["name"], row["scope"]) if row else None

    def tokens(self) -> list[dict[str, object]]:
        columns = [self._tokens.c[name] for name in ("name", "scope", "created_at", "revoked_at")]
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]

    def revoke_token(self, name: str) -> bool:
        mine = (self._tokens.c.name == name) & self._tokens.c.revoked_at.is_(None)
        with self._writing() as connection:
            return connection.execute(self._tokens.update().where(mine).values(revoked_at=stored(now()))).rowcount > 0


def _digest(secret: str) -> str:
    # A token has 256 random bits, so a digest without salt is enough.
    return hashlib.sha256(secret.encode()).hexdigest()
