"""What the journal's database refuses is an error of the journal, with what to do; a defect in a query is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from orchestrator.errors import JournalError
from orchestrator.journal.errors import explain


def context(kind: type[sa.exc.DBAPIError], says: str) -> Any:  # Any: the parts of SQLAlchemy's context that are used
    error = Exception(says)
    return SimpleNamespace(
        is_pre_ping=False, original_exception=error, sqlalchemy_exception=kind("INSERT", {}, error, False)
    )


@pytest.mark.parametrize(
    ("kind", "says", "cause", "remedy"),
    [
        (sa.exc.OperationalError, "database or disk is full", "its disk is full", "Free disk space"),
        (sa.exc.DatabaseError, "could not extend file: No space left on device", "its disk is full", "Free disk space"),
        (sa.exc.OperationalError, "attempt to write a readonly database", "cannot be written", "takes writes"),
        (sa.exc.OperationalError, "unable to open database file", "cannot be written", "takes writes"),
        (
            sa.exc.InternalError,
            "cannot execute INSERT in a read-only transaction",
            "cannot be written: cannot execute INSERT",
            "takes writes",
        ),
        (sa.exc.OperationalError, "connection refused\nIs the server running?", "failed: connection refused.", "runs"),
        (sa.exc.InterfaceError, "the connection is closed", "failed: the connection is closed.", "runs"),
    ],
)
def test_what_the_database_refuses_is_an_error_of_the_journal(
    kind: type[sa.exc.DBAPIError], says: str, cause: str, remedy: str
) -> None:
    """A write to a server that only reads was told as a defect in Changeover."""
    with pytest.raises(JournalError) as raised:
        explain(context(kind, says))

    assert cause in raised.value.cause
    assert remedy in raised.value.remedy


@pytest.mark.parametrize("kind", [sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError])
def test_a_defect_in_a_query_stays_one(kind: type[sa.exc.DBAPIError]) -> None:
    explain(context(kind, "no such column: verson"))


def test_a_connection_of_the_pool_that_is_closed_is_no_error() -> None:
    tested = context(sa.exc.OperationalError, "server closed the connection")
    tested.is_pre_ping = True

    explain(tested)
