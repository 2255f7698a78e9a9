"""The values of the configuration that each live release and standby was deployed with, without secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    op.create_table(
        "deployed_values",
        sa.Column("deployment", sa.String(32), primary_key=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("deployed_values")
