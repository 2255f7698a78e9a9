"""PostgreSQL connections on which every answer has a time limit, also from a server that accepts and stays silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.rows import TupleRow

T = TypeVar("T")


def punctual(answer_within_s: float) -> Callable[..., psycopg.Connection[TupleRow]]:
    """A listener of SQLAlchemy's event `do_connect`.

    The limits of libpq and of the server do not suffice: `connect_timeout` ends when the connection is open,
    `statement_timeout` is kept by the server, and `tcp_user_timeout` by the kernel, which goes on to acknowledge for a
    stopped server.
    """

    class PunctualConnection(psycopg.Connection[TupleRow]):
        def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
            """As psycopg's own. Without an answer in time it closes the connection and raises OperationalError."""
            try:
                return super().wait(gen, interval, answer_within_s if timeout is None else timeout)
            except _WaitTimeout as error:
                # Closed: SQLAlchemy discards it then, and does not wait for the server's answer to a ROLLBACK.
                self.pgconn.finish()
                raise psycopg.OperationalError(f"it did not answer within {answer_within_s:g} s") from error

    def connect(_dialect: object, _record: object, args: Any, options: Any) -> psycopg.Connection[TupleRow]:
        # Any: what SQLAlchemy passes on to the driver. libpq counts connect_timeout in whole seconds, two at least.
        return PunctualConnection.connect(*args, **{"connect_timeout": max(2, int(answer_within_s)), **options})

    return connect
