"""Requests are paused and resumed: before, they were held and released."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
compatible = False

RENAMED = {"held_at": "paused_at", "released_at": "resumed_at"}


def upgrade() -> None:
    for before, after in RENAMED.items():
        op.alter_column("deployments", before, new_column_name=after)


def downgrade() -> None:
    for before, after in RENAMED.items():
        op.alter_column("deployments", after, new_column_name=before)
