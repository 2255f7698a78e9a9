"""Checks that pushes of forges ask for, and the deliveries that asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "push_checks",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("forge", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("revision", sa.String(200), nullable=False, server_default=""),
        sa.Column("version", sa.String(200), nullable=False, server_default=""),
        sa.Column("deployment", sa.String(64), nullable=False, server_default=""),
        sa.Column("says", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("push_checks_of_app", "push_checks", ["app", "number"])
    op.create_table(
        "push_deliveries",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("forge", sa.String(16), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("check_id", sa.String(32), nullable=False),
        sa.UniqueConstraint("app", "forge", "key", name="push_deliveries_key"),
    )


def downgrade() -> None:
    op.drop_table("push_deliveries")
    op.drop_table("push_checks")
