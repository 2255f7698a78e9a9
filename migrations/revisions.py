"""Running revisions with Alembic: all pending ones in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(home: str, engine: sa.Engine, revision: str = "head") -> None:
    """Run all pending revisions of `home` ("orchestrator" or "panel") up to `revision`, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_alembic(home, connection), revision)


def downgrade(home: str, engine: sa.Engine, revision: str) -> None:
    """Take revisions of `home` back down to `revision`, in one transaction."""
    with engine.begin() as connection:
        command.downgrade(_alembic(home, connection), revision)


def _alembic(home: str, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / home))
    config.attributes["connection"] = connection
    return config
