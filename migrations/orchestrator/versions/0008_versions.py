"""What is remembered of versions: when they were seen first, dismissed, skipped for ever, and told by a notice."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "versions",
        sa.Column("app", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(200), primary_key=True),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.Column("dismissed_at", sa.DateTime),
        sa.Column("skipped_at", sa.DateTime),
        sa.Column("skipped_by", sa.String(200), nullable=False, server_default=""),
        sa.Column("told_at", sa.DateTime),
    )


def downgrade() -> None:
    op.drop_table("versions")
