"""A status command that cannot name pending migrations is none."""

from __future__ import annotations

import pytest

from orchestrator.domain.unread_status import names_none, unread_tool


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
        ("alembic history", True),
        ("alembic -c db/alembic.ini history --verbose", True),
        ("alembic history -r current:heads", True),
        ("flask --app shop db history", True),
        ("alembic history -vi", False),
        ("alembic history -r base:heads -i --verbose", False),
        ("python manage.py migrate --plan", True),
        ("python manage.py migrate shop --plan --no-color", True),
        ("python manage.py migrate --check", False),
        ("npx knex migrate:currentVersion", True),
        ("npx knex migrate:list", False),
        ("diesel migration --migration-dir m pending", False),
        ("diesel migration pending", True),
        ("sh -c 'cd /app; alembic current 2>&1 || exit 1'", True),
        # Others than the tool print here what is heard, or nothing when nothing is pending.
        ("sh -c 'alembic current | python status.py'", False),
        ('sh -c \'test "$(alembic current)" = "$(alembic heads)" || python status.py\'', False),
        ("sh -c 'alembic current; python status.py'", False),
        ("sh -c 'alembic current > /tmp/now; python status.py'", False),
    ],
)
def test_commands_that_only_say_where_the_data_is_are_known(command: str, is_one: bool) -> None:
    assert names_none(command) is is_one


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("2025/08/17 14:26:22     Pending                  -- 20250817104252_create_table_users.sql", "Goose"),
        ("    Pending                  -- 00002_add_name.sql", "Goose"),
        ("20240102/pending add name", "SQLx"),
        ("Migration Status: PENDING", "Atlas"),
        ("│ 20160608155948-blacklist_the_beatles.js │ PENDING    │", "migrate-mongo"),
        ("U         0002.b  .", "yoyo"),
        ("  down      20240101000000  create_users", "Rails"),
        ("20240101/installed add name", ""),
        ("A         0001.a  .", ""),
        ("Migration Status: OK", ""),
        ("2025/08/17 14:26:22     Sun Jan  6 11:25:03 2013 -- 001_basics.sql", ""),
    ],
)
def test_lines_of_tools_that_are_not_understood_are_known(line: str, tool: str) -> None:
    assert unread_tool(line) == tool
