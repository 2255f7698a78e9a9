"""Alerts, with the event until which they are made, and the apps that are muted."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("deployment", sa.String(32), nullable=False),
        sa.Column("began_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("muted", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alerts_by_app", "alerts", ["app", "id"])
    op.create_table("alerts_read", sa.Column("event", sa.Integer, primary_key=True, autoincrement=False))
    op.create_table(
        "mutes",
        sa.Column("app", sa.String(64), primary_key=True),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
    )


def downgrade() -> None:
    for table in ("mutes", "alerts_read", "alerts"):
        op.drop_table(table)
