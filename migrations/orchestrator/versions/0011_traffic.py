"""A row a minute of each app's traffic, for 7 days."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
compatible = True

NUMBERS = ("requests", "ok", "redirects", "client_errors", "server_errors", "failed", "connections", "queue")
PERCENTILES = ("p50", "p90", "p99")


def upgrade() -> None:
    # `minute`: of the epoch, when it ended. The row of the app '' says that the minute was recorded: an app that has
    # no row in it had no requests.
    op.create_table(
        "traffic",
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("app", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.Float, nullable=False) for name in NUMBERS),
        *(sa.Column(name, sa.Float) for name in PERCENTILES),
        sa.Column("containers", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("traffic")
