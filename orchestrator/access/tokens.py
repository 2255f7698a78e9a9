"""Who may do what. Tokens are 256 random bits; the journal keeps only their digests."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from pathlib import Path

from orchestrator.errors import NotAllowed, Refused
from orchestrator.journal.store import Journal

FIRST_TOKEN = "first-start"
PREFIX = "co_"


class Scope(StrEnum):
    """Each may also do what those before it may."""

    READ = "read"
    DEPLOY = "deploy"
    ADMIN = "admin"

    def covers(self, other: Scope) -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


def create(journal: Journal, name: str, scope: Scope) -> str:
    """A new token; this is the only time it is to be seen. Raises Refused when the name is taken."""
    if any(token["name"] == name for token in journal.tokens()):
        raise Refused(f"There is a token '{name}' already.", "Revoked names are not used again: choose another.")
    secret = PREFIX + secrets.token_urlsafe(32)
    journal.add_token(name, secret, scope)
    return secret


def check(journal: Journal, secret: str | None, needed: Scope) -> str:
    """The name of the token's holder. Raises NotAllowed."""
    found = journal.token(secret) if secret else None
    if found is None:
        raise NotAllowed(
            "No token was given." if not secret else "The token is unknown or revoked.",
            "The first token is in .changeover/token of the checkout; 'changeover token create' makes others.",
        )
    name, scope = found
    if not Scope(scope).covers(needed):
        raise NotAllowed(f"Token '{name}' has scope '{scope}'; this needs '{needed}'.", known=True)
    return name


def leave_first_token(journal: Journal, folder: Path) -> Path | None:
    """On the very first start, an admin token in a file that only its owner can read. None when there are tokens."""
    if journal.tokens():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "token"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(create(journal, FIRST_TOKEN, Scope.ADMIN) + "\n")
    return path
