"""A status command that cannot name pending migrations is none."""

from __future__ import annotations

import pytest

from orchestrator.domain.unread_status import names_none


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        ("alembic current", True),
        ("alembic -c db/alembic.ini current --verbose", True),
        ("alembic -c db/alembic.ini -x a=b history --indicate-current", False),
        ("alembic --raiseerr current", True),
        ("sh -c 'cd /app && alembic heads'", True),
        ("flask db current", True),
        ("bin/rails db:version", True),
        ("migrate -path /m -database $URL version", True),
        ("alembic history --indicate-current", False),
        ("python manage.py showmigrations --plan", False),
        ("python migrate.py --version", False),
        ("bin/rails db:migrate:status", False),
        ("python migrations/status.py", False),
    ],
)
def test_commands_that_only_say_where_the_data_is_are_known(command: str, is_one: bool) -> None:
    assert names_none(command) is is_one
