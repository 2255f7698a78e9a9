"""The conversation with the console, a row for each turn; the ones that older session rows have are brought into it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from border.plain import plain

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
compatible = True

TURN = ("user_input", "agent_response", "timestamp", "dashboard_state")
SESSIONS = sa.table(
    "sessions",
    sa.column("id", sa.String),
    sa.column("saved_at", sa.DateTime),
    sa.column("release", sa.String),
    sa.column("state", sa.JSON),
)
TURNS = sa.table(
    "conversation_history",
    sa.column("id", sa.Integer),
    sa.column("session", sa.String),
    sa.column("person", sa.String),
    sa.column("turn", sa.Integer),
    sa.column("user_input", sa.Text),
    sa.column("agent_response", sa.Text),
    sa.column("timestamp", sa.Text),
    sa.column("dashboard_state", sa.JSON),
)


def upgrade() -> None:
    op.create_table(
        "conversation_history",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False, server_default=""),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("user_input", sa.Text, nullable=False),
        sa.Column("agent_response", sa.Text, nullable=False),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("dashboard_state", sa.JSON, nullable=False),
    )
    op.create_index("conversation_of_person", "conversation_history", ["person", "id"])
    op.create_index("conversation_of_session", "conversation_history", ["session", "id"])
    connection = op.get_bind()
    for row in connection.execute(SESSIONS.select().order_by(SESSIONS.c.saved_at)).mappings().all():
        exchanges = row["state"].get("conversation") if isinstance(row["state"], dict) else None
        if not isinstance(exchanges, list):
            continue
        turns = [one for one in exchanges if _is_turn(one)]
        for number, one in enumerate(turns, start=1):
            connection.execute(TURNS.insert().values(_row(one, number, row)))
        # What is no turn stays where it is: nothing is lost.
        rest = [one for one in exchanges if not _is_turn(one)]
        state = {name: value for name, value in row["state"].items() if name != "conversation"}
        _save(connection, row["id"], state | ({"conversation": rest} if rest else {}))


def downgrade() -> None:
    """Give every turn back to the row of its session, which is made where it is gone."""
    connection = op.get_bind()
    of_sessions: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(TURNS.select().order_by(TURNS.c.id)).mappings():
        of_sessions.setdefault(row["session"], []).append({name: row[name] for name in ("turn", "person", *TURN)})
    for session, turns in of_sessions.items():
        found = connection.execute(SESSIONS.select().where(SESSIONS.c.id == session)).mappings().first()
        if found is None:
            made = {"id": session, "saved_at": sa.func.current_timestamp(), "release": "", "state": {}}
            connection.execute(SESSIONS.insert().values(made))
        state = found["state"] if found and isinstance(found["state"], dict) else {}
        before = state.get("conversation")
        _save(connection, session, state | {"conversation": turns + (before if isinstance(before, list) else [])})
    op.drop_index("conversation_of_session", "conversation_history")
    op.drop_index("conversation_of_person", "conversation_history")
    op.drop_table("conversation_history")


def _is_turn(exchange: Any) -> bool:  # Any: JSON, from any release
    return isinstance(exchange, dict) and isinstance(exchange.get("user_input"), str)


def _row(exchange: dict[str, Any], number: int, session: Any) -> dict[str, Any]:  # Any: JSON
    """PostgreSQL takes no NUL in a text."""
    said, at, turn = exchange.get("agent_response"), exchange.get("timestamp"), exchange.get("turn")
    return {
        "session": session["id"],
        "person": str(exchange.get("person") or "")[:64],
        "turn": turn if isinstance(turn, int) and 0 < turn < 2**31 else number,
        "user_input": plain(exchange["user_input"]),
        "agent_response": plain(str(said)) if said is not None else "",
        "timestamp": plain(str(at)) if at is not None else f"{session['saved_at'].isoformat()}+00:00",
        "dashboard_state": exchange.get("dashboard_state") or {},
    }


def _save(connection: sa.Connection, session: str, state: dict[str, Any]) -> None:  # Any: JSON
    connection.execute(SESSIONS.update().where(SESSIONS.c.id == session).values(state=state))
