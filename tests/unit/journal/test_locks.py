"""Which transactions of the journal wait for others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.journal.store import Journal

READS: dict[str, Callable[[Journal], object]] = {
    "deployments": lambda journal: journal.deployments("shop"),
    "unfinished": lambda journal: journal.unfinished(),
    "with_key": lambda journal: journal.with_key("shop", "a key"),
    "slots": lambda journal: journal.slots("shop"),
    "migrations": lambda journal: journal.migrations("shop"),
    "events": lambda journal: journal.events(),
    "last_event_id": lambda journal: journal.last_event_id(),
    "token": lambda journal: journal.token("a secret"),
    "tokens": lambda journal: journal.tokens(),
}


@pytest.fixture
def writer(journal: Journal, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection, in the middle of a write."""
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.mark.parametrize("read", READS.values(), ids=list(READS))
@pytest.mark.usefixtures("writer")
def test_a_read_waits_for_no_writer(journal: Journal, read: Callable[[Journal], object]) -> None:
    read(journal)
