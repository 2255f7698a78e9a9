"""The journal's database: its tables, transactions on them, and the threads in which they run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from border.secrets import Secrets
from migrations.database import READ_ONLY, connect, current
from orchestrator.clock import Timing
from orchestrator.errors import JournalError, NoDatabase
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.errors import explain

P = ParamSpec("P")
T = TypeVar("T")
ANSWER_WITHIN_S = 10.0
"""The time limit of one answer of the database, in seconds; also the longest time that a query waits for a thread."""
THREADS = 4


def engine_of(url: str, answer_within_s: float) -> sa.Engine:
    """The connections to the database of `url`. Raises NoDatabase, whose message does not repeat the address."""
    try:
        return connect(url, answer_within_s)
    except (sa.exc.ArgumentError, ValueError, ImportError) as error:
        raise NoDatabase(
            "CHANGEOVER_DATABASE_URL is not the address of a database that the journal can be in.",
            "Set it to postgresql://USER:PASSWORD@HOST/NAME, with special characters as %40 and the like, or leave it "
            "empty: then the journal is a file of SQLite.",
        ) from error


class Database:
    """A connection pool for `url`. The tables are read by `_read_tables`, when the schema is up to date.

    Each noun of the journal has a class of its own, with its queries, in a file of its own. It inherits this one, and
    `Journal` (store.py) inherits all of them. A query runs in `_writing` or in `_reading`.

    Queries block. On the event loop, call them by `beside`, except for what is kept in memory: deployments, slots and
    migration runs. These are read from the database once, and kept current by this process, which alone writes them.
    Queries may run in several threads at once; writes are made one after the other.
    """

    answer_within_s = ANSWER_WITHIN_S

    def __init__(self, url: str) -> None:
        self._border = Secrets()
        """What is written passes it: control characters and secrets are not stored. `Journal` sets those to know."""
        self.timing = Timing()
        """The moments of the deployments that this process carries out."""
        self._engine = engine_of(url, self.answer_within_s)
        sa.event.listen(self._engine, "handle_error", explain)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="journal")
        self._turn = threading.RLock()
        self._transaction: sa.Connection | None = None
        """That of the thread whose turn it is."""
        self._written = 0
        """The number of writes that were begun or done. What was read while it changed is not kept in memory."""
        self._to_keep: list[Callable[[], None]] = []
        self._in_doubt = False
        """Whether a write failed since the last successful one: then what is kept in memory may not be true."""

    async def beside(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `query`, which uses the journal, in a thread beside the event loop.

        A cancel waits for the end of the query. Raises JournalError, also when no thread is free for ANSWER_WITHIN_S
        seconds because the database does not answer.
        """
        asked = time.monotonic()

        def answer() -> T:
            if time.monotonic() - asked > self.answer_within_s:
                raise self._silent()
            return query(*args, **kwargs)

        return await to_its_end(asyncio.get_running_loop().run_in_executor(self._threads, answer))

    @property
    def backend(self) -> str:
        """The name of the database for people: SQLite or PostgreSQL."""
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(
            self._engine.dialect.name, self._engine.dialect.name
        )

    @property
    def schema(self) -> str:
        return current(self._engine) or ""

    def close(self) -> None:
        """Wait for what is being asked, and close all connections. An SQLite journal is a single file then."""
        self._threads.shutdown()
        self._engine.dispose()

    def _read_tables(self) -> None:
        # The migrations define the tables; their columns are read from the database, not repeated here.
        schema = sa.MetaData()
        schema.reflect(self._engine)
        tables = schema.tables
        self._deployments, self._steps, self._slots = tables["deployments"], tables["steps"], tables["slots"]
        self._events, self._tokens, self._audit = tables["events"], tables["tokens"], tables["audit"]
        self._migrations, self._unsettled = tables["migrations"], tables["unsettled"]
        self._sessions, self._versions = tables["panel_sessions"], tables["versions"]
        self._notices, self._failing_checks = tables["notices"], tables["failing_checks"]
        self._deployed_values = tables["deployed_values"]
        self._alerts, self._alerts_read, self._mutes = tables["alerts"], tables["alerts_read"], tables["mutes"]
        self._traffic = tables["traffic"]
        self._push_checks, self._push_deliveries = tables["push_checks"], tables["push_deliveries"]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed, and on the disk, when the block ends. One at a time.

        Inside of another block, in the same thread, it is a part of that one's transaction.

        After a write that failed, nobody knows whether it was committed: the next one reads again what is kept in
        memory. What would only be emptied would be read on the event loop, which must not wait for the database.
        Raises JournalError, also when it has no turn in time.
        """
        with self._taken_turn():
            if self._transaction:
                yield self._transaction
                return
            self._written += 1
            self._to_keep = []
            try:
                with self._engine.begin() as connection:
                    self._transaction = connection
                    yield connection
                    self._read_changed(connection)
                    if self._in_doubt:
                        self._read_again(connection)
            except BaseException:
                self._in_doubt = True
                raise
            finally:
                self._transaction = None
                self._written += 1
            self._in_doubt = False
            for keep in self._to_keep:
                keep()

    @contextmanager
    def _taken_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self.answer_within_s):
            raise self._silent()
        try:
            yield
        finally:
            self._turn.release()

    def _silent(self) -> JournalError:
        return JournalError(
            f"The journal's database did not answer within {self.answer_within_s:g} s.",
            "Check that it runs and can be reached, then try again.",
        )

    def _when_written(self, keep: Callable[[], None]) -> None:
        """Inside of `_writing`: change what is kept in memory as soon as the transaction is committed."""
        self._to_keep.append(keep)

    def _read_changed(self, connection: sa.Connection) -> None:
        """Keep what this transaction has changed as it is after it. Once, at its end: a step's end changes its
        deployment twice."""

    def _read_again(self, connection: sa.Connection) -> None:
        """Keep what is kept in memory as it is after this transaction."""

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """A transaction that takes no write lock, so that it waits for no writer and no writer waits for it."""
        with self._engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            yield connection
