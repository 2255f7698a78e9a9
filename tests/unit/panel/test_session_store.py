"""The panel's database may have been used by a newer release: after its compatible migration, or a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrations import revisions
from migrations.database import connect, head
from panel.session.state import SessionState
from panel.session.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/panel.db"
    revisions.upgrade("panel", connect(url))
    return url


def at(url: str, revision: str) -> None:
    with connect(url).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


def test_a_release_runs_on_the_schema_that_it_knows_and_on_that_of_a_newer_one(url: str) -> None:
    """The orchestrator asks nobody to run on an incompatible one. The panel that served during a compatible migration
    said that it was not ready, and a rollback to it failed."""
    assert Store(url).at_head()
    at(url, f"{int(head('panel')) + 1:04}")
    assert Store(url).at_head()
    at(url, "0000")
    assert not Store(url).at_head()


def test_a_release_is_not_ready_before_its_migration(tmp_path: Path) -> None:
    assert not Store(f"sqlite:///{tmp_path}/empty.db").at_head()


@pytest.mark.parametrize("state", [{"selected": ["shop"]}, {"selected": None}, "shop", None])
def test_what_another_release_has_saved_in_another_form_is_no_state(url: str, state: Any) -> None:
    store = Store(url)
    store.save("one", SessionState(selected="shop"))
    with connect(url).begin() as connection:
        table = sa.table("sessions", sa.column("state", sa.JSON))
        connection.execute(table.update().values(state=state))
    assert store.load("one") is None
    store.save("one", SessionState(selected="till"))
    assert store.load("one") == SessionState(selected="till")
