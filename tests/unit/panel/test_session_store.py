"""The panel's database may have been used by a newer release: after its compatible migration, or a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrations import revisions
from migrations.database import connect, head
from panel.session.form import FORM
from panel.session.found import Found
from panel.session.state import Reload, SessionState
from panel.session.store import Store
from tests.support.api_answers import NOW

SESSIONS = sa.table("sessions", sa.column("id", sa.String), sa.column("state", sa.JSON))


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


BROKEN = [{"selected": ["shop"]}, {"selected": None}, "shop", None, {"form": "x"}, {"form": True}, {"form": 0}]


@pytest.mark.parametrize("state", [*BROKEN, {"form": FORM + 1, "selected": "shop"}])
def test_what_cannot_be_read_is_set_aside_and_the_person_is_told(url: str, state: Any) -> None:
    store = Store(url)
    store.save("one", SessionState(selected="shop"))
    with connect(url).begin() as connection:
        connection.execute(SESSIONS.update().values(state=state))

    found = store.load("one")

    assert found.state is None
    assert ("a newer release has saved it" in found.notice) is (state not in BROKEN)
    store.save("one", SessionState(selected="till"))
    assert store.load("one") == Found(SessionState(selected="till"))
    with connect(url).connect() as connection:
        kept = {row.id: row.state for row in connection.execute(SESSIONS.select())}
    (aside,) = [id for id in kept if id != "one"]
    assert aside in found.notice
    assert kept[aside] == state


def test_text_that_is_no_json_is_set_aside_too(url: str) -> None:
    store = Store(url)
    store.save("one", SessionState())
    with connect(url).begin() as connection:
        connection.execute(sa.text("UPDATE sessions SET state = '{\"half'"))
    assert "it cannot be read" in store.load("one").notice
    assert store.load("one") == Found()


def test_a_reload_is_saved_and_read(url: str) -> None:
    """Its moments are no JSON by themselves: R said that the database does not answer."""
    state = SessionState(reload=Reload(began_at=NOW, saved_at=NOW))
    Store(url).save("one", state)
    assert Store(url).load("one") == Found(state)
