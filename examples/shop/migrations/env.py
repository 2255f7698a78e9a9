"""All pending revisions in one transaction."""

from alembic import context
from database import engine

with engine().connect() as connection:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
