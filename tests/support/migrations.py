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

# Who sold an order stands in another column than the release before writes to.
RENAMES = '''"""Sold by"""
from alembic import op
revision, down_revision = "0002", "0001"
compatible = False
def upgrade():
    op.execute("ALTER TABLE orders RENAME COLUMN release TO sold_by")
def downgrade():
    op.execute("ALTER TABLE orders RENAME COLUMN sold_by TO release")
'''
OLD_INSERT, NEW_INSERT = "orders (id, release)", "orders (id, sold_by)"
"""What the shop's insert names before and after that."""

# As Django's: each of its changes is committed by itself, and nothing reports which were. The last one fails.
COMMITS_EACH = """
import subprocess, sys
sys.path.insert(0, "/shop")
from database import connect
subprocess.run(["alembic", "upgrade", "head"], check=True)
if {fails}:
    database = connect()
    database.execute("CREATE TABLE receipts (id TEXT)")
    database.execute("ALTER TABLE orders RENAME COLUMN release TO sold_by")
    raise SystemExit("the third one does not work")
"""
