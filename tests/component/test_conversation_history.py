"""The conversation with the console: kept over restarts, and brought from the rows of older releases and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrations import revisions
from migrations.database import connect
from panel.session import conversation, conversation_file
from panel.session.conversation_file import NAME, ConversationFile
from panel.session.state import SessionState
from panel.session.store import Store
from panel.session.turns import LONGEST_INPUT, Turn, Turns
from panel.session.unavailable import StoreUnavailable
from tests.support.postgres import Postgres

MOST = 5
SAVED = datetime(2026, 3, 1, 10, 0)
EXCHANGES = [
    {"user_input": "status", "agent_response": "✓ shop", "timestamp": "2026-03-01T09:00:00", "turn": 1,
     "dashboard_state": {"selected": "shop"}},
    {"user_input": "größer\nals eine Zeile", "agent_response": "", "timestamp": "2026-03-01T09:01:00", "turn": 2,
     "dashboard_state": {}},
]  # fmt: skip
OLD_SESSIONS: dict[str, Any] = {
    "two-turns": {"release": "v1", "selected": "shop", "conversation": EXCHANGES},
    "bare": {"release": "v1", "conversation": [{"user_input": "help"}]},
    "odd": {"conversation": ["no turn", {"user_input": 7}, {"user_input": "status", "agent_response": "a\x00b"}]},
    "none": {"release": "v1", "selected": "till"},
    "empty": {"conversation": []},
    "null": {"conversation": None},
    "no object": ["a list"],
}
"""The states of sessions, as releases before the console's table had them; some are not as they should be."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    return f"sqlite:///{tmp_path}/test.db" if request.param == "sqlite" else postgres.url(postgres.create())


def sessions(url: str) -> dict[str, Any]:
    with connect(url).connect() as connection:
        rows = connection.execute(sa.text("SELECT id, state FROM sessions")).all()
    return {one: json.loads(state) if isinstance(state, str) else state for one, state in rows}


def turns(url: str) -> list[tuple[Any, ...]]:
    asks = (
        "SELECT session, turn, user_input, agent_response, timestamp FROM conversation_history ORDER BY session, turn"
    )
    with connect(url).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(asks))]


def test_old_sessions_go_up_down_and_up_without_loss(url: str) -> None:
    engine = connect(url)
    revisions.upgrade("panel", engine, "0001")
    table = sa.table(
        "sessions", *(sa.column(name) for name in ("id", "saved_at", "release")), sa.column("state", sa.JSON)
    )
    with engine.begin() as connection:
        for session, state in OLD_SESSIONS.items():
            connection.execute(table.insert().values(id=session, saved_at=SAVED, release="v1", state=state))

    revisions.upgrade("panel", engine)
    up, moved = turns(url), sessions(url)
    assert [row[:4] for row in up] == [
        ("bare", 1, "help", ""),
        ("odd", 1, "status", "ab"),
        ("two-turns", 1, "status", "✓ shop"),
        ("two-turns", 2, "größer\nals eine Zeile", ""),
    ]
    assert up[0][4] == "2026-03-01T10:00:00+00:00"
    assert moved["two-turns"] == {"release": "v1", "selected": "shop"}
    assert moved["odd"] == {"conversation": ["no turn", {"user_input": 7}]}
    assert {name: moved[name] for name in ("none", "null", "no object")} == {
        name: OLD_SESSIONS[name] for name in ("none", "null", "no object")
    }

    revisions.downgrade("panel", engine, "0001")
    down = sessions(url)
    assert set(down) == set(OLD_SESSIONS)
    for before, after in zip(EXCHANGES, down["two-turns"]["conversation"], strict=True):
        assert after == before | {"person": ""}
    assert [one for one in down["odd"]["conversation"] if not isinstance(one, dict) or "agent_response" not in one] == [
        "no turn", {"user_input": 7},
    ]  # fmt: skip

    revisions.upgrade("panel", engine)
    assert turns(url) == up
    assert sessions(url) == moved


def test_turns_of_a_session_that_is_gone_survive_the_way_down_and_up(url: str) -> None:
    engine = connect(url)
    revisions.upgrade("panel", engine)
    kept = Store(url).turns("gone")
    kept.answer(kept.begin("ann", "status", {"selected": "shop"}), "✓")

    revisions.downgrade("panel", engine, "0001")
    revisions.upgrade("panel", engine)

    (turn,) = Store(url).turns("another").load("ann")
    assert (turn.user_input, turn.agent_response, turn.dashboard_state) == ("status", "✓", {"selected": "shop"})


def test_the_release_before_runs_on_the_new_table(url: str) -> None:
    """The old panel serves until the new one is ready."""
    revisions.upgrade("panel", connect(url))
    store = Store(url)
    store.save("one", SessionState(selected="shop"))

    assert store.load("one").state == SessionState(selected="shop")


@pytest.fixture(params=["sqlite", "postgresql", "file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Opens the same store again, as after a restart."""
    if request.param == "file":
        return lambda: ConversationFile(tmp_path / "state", "http://127.0.0.1:1")
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.url(server.create()) if server else f"sqlite:///{tmp_path}/test.db"
    revisions.upgrade("panel", connect(url))
    return lambda: Store(url).turns("tab")


def test_a_conversation_is_there_again_after_a_restart_for_its_person_alone(kept: Any) -> None:
    first: Turns = kept()
    one = first.begin("ann", "status", {"selected": "shop"})
    first.begin("ann", "help", {})
    first.answer(one, "✓ shop")
    first.begin("bob", "deploy shop", {})

    found = kept().load("ann")

    assert [(turn.turn, turn.user_input, turn.agent_response) for turn in found] == [
        (1, "status", "✓ shop"),
        (2, "help", ""),
    ]
    assert found[0].dashboard_state == {"selected": "shop"}
    assert datetime.fromisoformat(found[0].timestamp).tzinfo == UTC
    assert [turn.user_input for turn in kept().load("bob")] == ["deploy shop"]
    assert kept().load("") == ()


def test_the_oldest_turns_of_a_person_go_and_what_is_too_long_is_cut(
    kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MOST_TURNS", MOST)
    monkeypatch.setattr(conversation_file, "MOST_TURNS", MOST)
    store: Turns = kept()
    store.begin("bob", "his own", {})
    for number in range(MOST + 3):
        store.begin("ann", f"{number} " + "x" * LONGEST_INPUT, {"much": "x" * (20_000 if number == 5 else 1)})

    found: tuple[Turn, ...] = store.load("ann")

    assert [found[0].turn, found[-1].turn, len(found)] == [4, MOST + 3, MOST]
    assert len(found[0].user_input) == LONGEST_INPUT
    assert found[2].dashboard_state == {}
    assert len(store.load("bob")) == 1


def test_all_turns_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MOST_IN_ALL", 5)
    url = f"sqlite:///{tmp_path}/test.db"
    revisions.upgrade("panel", connect(url))
    for number in range(9):
        Store(url).turns(f"tab{number}").begin(f"person{number}", "status", {})

    assert len(turns(url)) == 5


def test_the_file_of_a_terminal_is_the_persons_alone_and_a_broken_one_is_set_aside(tmp_path: Path) -> None:
    store = ConversationFile(tmp_path / "state", "http://127.0.0.1:1")
    store.begin("ann", "status", {})
    path = tmp_path / "state" / NAME

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert ConversationFile(tmp_path / "state", "http://127.0.0.1:2").load("ann") == ()
    path.write_bytes(b"this is no database, and longer than its header would be" * 10)
    assert store.load("ann") == ()
    assert (tmp_path / "state" / "conversation.broken").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    with pytest.raises(StoreUnavailable, match="cannot be used"):
        ConversationFile(tmp_path / "state", "http://127.0.0.1:1").load("ann")
