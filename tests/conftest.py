"""What all tests share: the options of the command line, and a database server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import Postgres, running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--histories",
        type=int,
        default=10,
        help="how many random histories to go through, half of them on SQLite, half on PostgreSQL",
    )
    parser.addoption("--seed", type=int, default=0, help="the seed of the random histories; a new one when not given")
    parser.addoption("--large-mb", type=int, default=50, help="how much data the large backup has")
    parser.addoption("--soak", action="store_true", help="hold what takes long to its promises of speed, too")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes a database of its own in it."""
    with running() as server:
        yield server
