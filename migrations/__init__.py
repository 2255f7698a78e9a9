"""The database schemas of Changeover, as numbered Alembic revisions: one home each for orchestrator and panel."""
