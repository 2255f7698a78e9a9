"""What failed changes of an app's data left, the backups that no write is missing from, and what draining cut."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "unsettled",
        sa.Column("app", sa.String(64), primary_key=True),
        sa.Column("deployment", sa.String(32), nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("backup", sa.String(40), nullable=False),
    )
    op.add_column("deployments", sa.Column("paused_backup", sa.String(40), nullable=False, server_default=""))
    op.add_column("deployments", sa.Column("cut", sa.JSON))


def downgrade() -> None:
    for column in ("cut", "paused_backup"):
        op.drop_column("deployments", column)
    op.drop_table("unsettled")
