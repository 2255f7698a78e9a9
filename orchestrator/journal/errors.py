"""What the journal's database says when it does not do its work, in our own words."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.errors import JournalError


def explain(context: sa.engine.ExceptionContext) -> None:
    """SQLAlchemy calls this before it raises. Raises JournalError where a person can do something about it."""
    if context.is_pre_ping:
        return  # SQLAlchemy only looks whether a kept connection still lives, and opens another if not
    error = context.original_exception
    if "disk is full" in str(error) or "No space left" in str(error):
        raise JournalError(
            "The journal cannot be written: its disk is full.",
            "Nothing was begun. Free some room ('docker builder prune', 'docker image prune'), then try again.",
        ) from error
    if isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        first = str(error).partition("\n")[0].rstrip(".")
        raise JournalError(
            f"The journal's database does not do its work: {first}.",
            "Nothing was begun. See that it runs and can be reached, then try again.",
        ) from error
