"""Translates errors of the journal's database to JournalError."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.errors import JournalError


def explain(context: sa.engine.ExceptionContext) -> None:
    """SQLAlchemy calls this before it raises an error. Raises JournalError for a full disk or an OperationalError."""
    if context.is_pre_ping:
        return  # SQLAlchemy tests a pooled connection, and opens a new one if this one is closed
    error = context.original_exception
    if "disk is full" in str(error) or "No space left" in str(error):
        raise JournalError(
            "The journal cannot be written: its disk is full.",
            "Free disk space ('docker builder prune', 'docker image prune'), then try again.",
        ) from error
    if isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        first = str(error).partition("\n")[0].rstrip(".")
        raise JournalError(
            f"The journal's database failed: {first}.",
            "Check that it runs and can be reached, then try again.",
        ) from error
