"""Migrations of the apps' data: each run on record, and what a deployment knew and did about them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "migrations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("deployment", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("revisions", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("as_of", sa.DateTime),
    )
    op.create_index("migrations_by_app", "migrations", ["app", "id"])
    op.add_column("deployments", sa.Column("pending", sa.JSON))
    op.add_column("deployments", sa.Column("migrate", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("deployments", sa.Column("backup", sa.String(40), nullable=False, server_default=""))
    op.add_column("deployments", sa.Column("held_at", sa.DateTime))
    op.add_column("deployments", sa.Column("released_at", sa.DateTime))


def downgrade() -> None:
    for column in ("released_at", "held_at", "backup", "migrate", "pending"):
        op.drop_column("deployments", column)
    op.drop_table("migrations")
