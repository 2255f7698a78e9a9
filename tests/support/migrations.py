"""Migrations of the example shop that several tests give it."""

# Holds its transaction open for a while, with two statements done.
TAKES_TIME = """
import time
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.execute("CREATE TABLE receipts (id TEXT)")
    op.execute("UPDATE orders SET release = 'rewritten'")
    print("half of it is done", flush=True)
    time.sleep(120)
def downgrade():
    pass
"""
