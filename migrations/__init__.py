"""The database schemas of orchestrator and panel, as numbered Alembic revisions."""
