"""Access: tokens expire and can be bound to apps, the panel has sessions, and the audit log has outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    # No apps: the token is for all of them.
    op.add_column("tokens", sa.Column("apps", sa.JSON(none_as_null=True)))
    op.add_column("tokens", sa.Column("expires_at", sa.DateTime))
    # No status: the request has not ended, or the orchestrator stopped before it had.
    op.add_column("audit", sa.Column("status", sa.Integer))
    op.add_column("audit", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "panel_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("token", sa.String(100), sa.ForeignKey("tokens.name"), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
    )


def downgrade() -> None:
    op.drop_table("panel_sessions")
    for column in ("reason", "status"):
        op.drop_column("audit", column)
    for column in ("expires_at", "apps"):
        op.drop_column("tokens", column)
