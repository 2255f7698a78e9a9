"""Makes tokens. A token has 256 random bits; the journal has only its digest."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.errors import Refused
from orchestrator.files.new_file import open_new
from orchestrator.files.synced import sync_folder
from orchestrator.journal.store import Journal

FIRST_TOKEN = "first-start"
PREFIX = "co_"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAME_RULE = "1 to 64 letters, digits, dots, dashes and underscores, the first of them a letter or digit"
"""What a token may be called: it stands in a URL when the token is revoked, and in tables."""


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def create(
    journal: Journal,
    name: str,
    scope: Scope,
    apps: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    secret: str = "",
) -> str:
    """Create a token and return its secret, which cannot be read again. `apps`: None for all apps. `secret`: one that
    new_secret has given; otherwise a new one.

    Raises Refused when the name is not allowed or taken, or the time of expiry is past.
    """
    if not re.fullmatch(NAME, name):
        raise Refused("The token was not created: its name is not allowed.", f"A name is {NAME_RULE}.")
    if expires_at and expires_at <= now():
        raise Refused(f"Token '{name}' was not created: it would have expired already.", "Give a later time.")
    secret = secret or new_secret()
    if not journal.add_token(name, secret, scope, None if apps is None else tuple(sorted(set(apps))), expires_at):
        raise Refused(
            f"Token '{name}' exists already.", "Choose another name. The name of a revoked token cannot be used again."
        )
    return secret


def leave_first_token(journal: Journal, folder: Path) -> Path | None:
    """Create a token with scope admin, in a file that only its owner can read. None if a valid one exists.

    It is made at the first start, and at a start after the last one with scope admin was revoked or has expired.
    """
    moment = now()
    if any(
        one.scope is Scope.ADMIN and one.apps is None and not one.invalid_because(moment) for one in journal.tokens()
    ):
        return None
    return leave_token(journal, folder, FIRST_TOKEN)


def leave_token(journal: Journal, folder: Path, name: str) -> Path:
    """Create a token with scope admin in the file `token`, which only the owner of its folder can read.

    Its name is `name`, or the first of `name`-2, `name`-3, … that was never used. The file comes first: by a token that
    is on record, and in no file because the disk was full or the power failed, nobody would come in, and no other one
    would be made. Raises Refused when the file cannot be written.
    """
    taken = {one.name for one in journal.tokens()}
    names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    path, secret = folder / "token", new_secret()
    try:
        _write(path, secret)
    except OSError as error:
        raise Refused(
            f"The token cannot be written into {path}: {error.strerror}.",
            "Free disk space, or let the orchestrator write there, then start it again.",
        ) from error
    create(journal, next(one for one in names if one not in taken), Scope.ADMIN, secret=secret)
    return path


def _write(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    owner, new = path.parent.stat(), path.with_name(f"{path.name}.new")
    descriptor = open_new(new)
    with os.fdopen(descriptor, "w") as file:
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(secret + "\n")
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    sync_folder(path.parent)
