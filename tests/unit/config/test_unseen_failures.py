"""A command that may end with exit code 0 although it failed loads with a notice."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import loader
from orchestrator.config.unseen_failures import _why_unseen
from tests.support.paths import ROOT

PSQL = "psql goes on after an error"
LAST = "the script has the exit code of its last command"
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
        "/usr/lib/postgresql/17/bin/psql -1Xf /dump/shop.sql",
        'sh -c \'psql --single-transaction "--file=$CHANGEOVER_DUMP/shop.sql" "$DATABASE_URL"\'',
        "sh -ec 'first; psql -c \"SELECT 1 < 2\" -f x.sql'",
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
        "psql -Ustaff -c 'SELECT 1'",
        "psql -c 'SELECT 1 WHERE 1 < 2'",
        "grep -E 'a|b' /dump/list",
        "load.py --between | --after ;",
        "sh -c 'cut -d \"|\" -f 1 /dump/list >| /dump/names'",
        "sh -c 'python load.py \"a; b\" \\; # and; then | so'",
        "sh -c 'case $KIND in a|b) load;; esac'",
        "sh -c 'for one in a b; do load $one || exit 1; done'",
        "sh -c 'first && second'",
        "sh -c 'set -eu; first; second'",
        "sh -ec 'first; second'",
        "bash -o errexit -c 'first; second'",
        "sh -c 'first;'",
        "sh -c '{ first; second; } || exit 1'",
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


@pytest.mark.parametrize(
    "command", ["sh -c 'first; second'", "timeout 9 /bin/sh -uc 'first\nsecond\n'", "bash -c 'a;${b}'"]
)
def test_a_script_that_goes_on_after_an_error_is_told(command: str) -> None:
    (notice,) = notices_of(command)

    assert LAST in notice


def test_psql_that_reads_a_pipe_is_told() -> None:
    pipe, psql = sorted(notices_of("sh -c 'zcat $CHANGEOVER_DUMP/shop.gz | psql $DATABASE_URL'"))

    assert (PIPE in pipe, PSQL in psql) == (True, True)


@given(st.text())
def test_any_command_is_looked_at(script: str) -> None:
    for says in _why_unseen(shlex.join(["sh", "-c", script])):
        assert says


def test_the_pages_show_no_command_whose_failure_is_not_seen() -> None:
    pages = [*(ROOT / "docs").glob("**/*.md"), ROOT / "README.md"]
    shown = [block for page in pages for block in re.findall(r"```yaml\n(apps:.*?)```", page.read_text(), re.DOTALL)]

    assert any("backup:" in block for block in shown)
    for block in shown:
        for notice in loader.parse(block, "page.yaml").notices:
            assert PSQL not in notice.says, block
            assert PIPE not in notice.says, block
            assert LAST not in notice.says, block
