"""Tokens and their scopes. A token has 256 random bits; the journal has only its digest."""

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
    """What a token may do. Each scope includes those before it."""

    READ = "read"
    DEPLOY = "deploy"
    ADMIN = "admin"

    def covers(self, other: Scope) -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


def create(journal: Journal, name: str, scope: Scope) -> str:
    """Create a token and return its secret, which cannot be read again. Raises Refused when the name is taken."""
    if any(token["name"] == name for token in journal.tokens()):
        raise Refused(
            f"Token '{name}' exists already.", "Choose another name. The name of a revoked token cannot be used again."
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    journal.add_token(name, secret, scope)
    return secret


def check(journal: Journal, secret: str | None, needed: Scope) -> str:
    """The name of a token that has the scope `needed`. Raises NotAllowed."""
    found = journal.token(secret) if secret else None
    if found is None:
        raise NotAllowed(
            "No token was given." if not secret else "The token is unknown or revoked.",
            "Use the token in .changeover/token of the checkout, or create one: changeover token create",
        )
    name, scope = found
    if not Scope(scope).covers(needed):
        raise NotAllowed(f"Token '{name}' has scope '{scope}'; this needs '{needed}'.", known=True)
    return name


def leave_first_token(journal: Journal, folder: Path) -> Path | None:
    """Create the first token, with scope admin, in a file that only its owner can read. None if any token exists."""
    if journal.tokens():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "token"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(create(journal, FIRST_TOKEN, Scope.ADMIN) + "\n")
    return path
