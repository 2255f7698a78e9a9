"""Deployments are in the order of a number, not of a clock; and the record of what each one was made from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
compatible = True

COLUMNS = ("brings_release", "forced", "volume", "made_from", "known_run", "interrupted_by", "number")


def upgrade() -> None:
    op.add_column("deployments", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("deployments", sa.Column("interrupted_by", sa.String(16)))
    op.add_column("deployments", sa.Column("known_run", sa.Integer))
    op.add_column("deployments", sa.Column("made_from", sa.String(64), nullable=False, server_default=""))
    op.add_column("deployments", sa.Column("volume", sa.String(200), nullable=False, server_default=""))
    op.add_column("deployments", sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("deployments", sa.Column("brings_release", sa.Boolean, nullable=False, server_default=sa.false()))
    # The best that is known of the order until now; the id decides between two of one moment.
    op.execute(
        "UPDATE deployments SET number = ordered.place FROM "
        "(SELECT id, row_number() OVER (ORDER BY requested_at, id) AS place FROM deployments) AS ordered "
        "WHERE ordered.id = deployments.id"
    )
    op.create_index("deployments_by_number", "deployments", ["number"])
    op.create_index("deployments_by_app_and_number", "deployments", ["app", "number"])


def downgrade() -> None:
    op.drop_index("deployments_by_app_and_number", "deployments")
    op.drop_index("deployments_by_number", "deployments")
    for column in COLUMNS:
        op.drop_column("deployments", column)
