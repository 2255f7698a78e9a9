"""An address that no database can have."""

from __future__ import annotations

import pytest

from orchestrator.errors import NoDatabase
from orchestrator.journal.store import Journal


@pytest.mark.parametrize(
    "url",
    [
        "postgres//u:hunter2hunter2@h/db",
        "postgresql://u:hunter2hunter2@h:port/db",
        "mysql://u:hunter2hunter2@h/db",
        "x",
    ],
)
def test_an_address_of_no_database_is_told_without_the_address(url: str) -> None:
    with pytest.raises(NoDatabase, match="CHANGEOVER_DATABASE_URL is not the address of a database") as refused:
        Journal(url)

    assert "hunter2" not in str(refused.value)
    assert not refused.value.may_come_back
