"""The journal: deployments, their steps, slots, events, tokens and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("requested_at", sa.DateTime, nullable=False),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("live_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("release", sa.JSON),
        sa.Column("colour", sa.String(8)),
        sa.Column("container", sa.String(100), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("previous", sa.String(32), nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("failure", sa.JSON),
        sa.Column("idempotency_key", sa.String(200), unique=True),
    )
    op.create_index("deployments_by_app", "deployments", ["app", "requested_at"])
    op.create_index("deployments_by_state", "deployments", ["state"])
    op.create_table(
        "steps",
        sa.Column("deployment", sa.String(32), sa.ForeignKey("deployments.id"), primary_key=True),
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "slots",
        sa.Column("app", sa.String(64), primary_key=True),
        sa.Column("active", sa.String(32), nullable=False),
        sa.Column("standby", sa.String(32), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("deployment", sa.String(32), nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_deployment", "events", ["deployment", "id"])
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("app", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    for table in ("audit", "tokens", "events", "slots", "steps", "deployments"):
        op.drop_table(table)
