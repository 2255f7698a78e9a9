"""Translates errors of the journal's database to JournalError."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.errors import JournalError

AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
"""Of the database and the way to it, and not of what was asked. PostgreSQL reports a write to a server that only reads,
such as a replica, as an internal error."""
FULL = ("disk is full", "No space left")
TAKES_NO_WRITES = ("readonly database", "unable to open database file", "read-only transaction")


def explain(context: sa.engine.ExceptionContext) -> None:
    """SQLAlchemy calls this before it raises an error. Raises JournalError for a full disk, and for one of AWAY."""
    if context.is_pre_ping:
        return  # SQLAlchemy tests a pooled connection, and opens a new one if this one is closed
    error = context.original_exception
    if _says(error, FULL):
        raise JournalError(
            "The journal cannot be written: its disk is full.",
            "Free disk space ('docker builder prune', 'docker image prune'), then try again.",
        ) from error
    if not isinstance(context.sqlalchemy_exception, AWAY):
        return
    first = str(error).partition("\n")[0].rstrip(".")
    if _says(error, TAKES_NO_WRITES):
        raise JournalError(
            f"The journal cannot be written: {first}.",
            "Check that its disk, or the database server, takes writes, then try again.",
        ) from error
    raise JournalError(
        f"The journal's database failed: {first}.", "Check that it runs and can be reached, then try again."
    ) from error


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return any(one in str(error) for one in words)
