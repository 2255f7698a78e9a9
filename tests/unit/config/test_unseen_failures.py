"""A command that may end with exit code 0 although it failed loads with a notice."""

from __future__ import annotations

import re

import pytest
import yaml

from orchestrator.config import loader
from tests.support.paths import ROOT

PSQL = "psql goes on after an error"
PIPE = "a pipe has the exit code of its last program"


def notices_of(command: str, section: str = "backup", key: str = "restore") -> list[str]:
    others = {"backup": {"dump": "save", "restore": "load"}, "migrate": {"command": "up"}}[section]
    app = {"route": {"host": "shop.test"}, section: {**others, key: command}}
    return [str(notice) for notice in loader.parse(yaml.safe_dump({"apps": {"shop": app}}), "c.yaml").notices]


@pytest.mark.parametrize(
    "command",
    [
        "sh -c 'psql --single-transaction --file $CHANGEOVER_DUMP/shop.sql $DATABASE_URL'",
        "psql -f /dump/shop.sql",
        "psql -qf /dump/shop.sql",
        "sh -c 'psql $DATABASE_URL < $CHANGEOVER_DUMP/shop.sql'",
    ],
)
def test_psql_that_goes_on_after_an_error_is_told(command: str) -> None:
    """The example of the documentation was one: it restored nothing, and the restore was called done."""
    (notice,) = notices_of(command)

    assert "apps.shop.backup.restore: " + PSQL in notice


@pytest.mark.parametrize(
    "command",
    [
        "psql --set=ON_ERROR_STOP=1 --file=/dump/shop.sql",
        "psql -v ON_ERROR_STOP=on -f /dump/shop.sql",
        "psql -c 'TRUNCATE orders'",
        "psql --single-transaction --command 'SELECT 1'",
        "python load.py --file x",
        "sh -c 'first || second'",
        "bash -o pipefail -c 'zcat $CHANGEOVER_DUMP/shop.gz | mariadb shop'",
    ],
)
def test_a_command_whose_failure_is_seen_has_no_notice(command: str) -> None:
    assert notices_of(command) == []


@pytest.mark.parametrize(
    ("section", "key"), [("backup", "dump"), ("backup", "restore"), ("migrate", "command"), ("migrate", "down")]
)
def test_a_pipe_is_told_of_each_command_that_changes_or_keeps_data(section: str, key: str) -> None:
    (notice,) = notices_of("sh -c 'pg_dump shop | gzip > $CHANGEOVER_DUMP/shop.gz'", section, key)

    assert f"apps.shop.{section}.{key}: {PIPE}" in notice


def test_the_pages_show_no_command_whose_failure_is_not_seen() -> None:
    pages = [*(ROOT / "docs").glob("**/*.md"), ROOT / "README.md"]
    shown = [block for page in pages for block in re.findall(r"```yaml\n(apps:.*?)```", page.read_text(), re.DOTALL)]

    assert any("backup:" in block for block in shown)
    for block in shown:
        for notice in loader.parse(block, "page.yaml").notices:
            assert PSQL not in notice.says, block
            assert PIPE not in notice.says, block
