"""Commands of an app whose failure Changeover would not see, because their exit code is 0 all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.config.keys import KeyPath
from orchestrator.config.schema import App, Config

_PSQL = re.compile(r"\bpsql\b")
_READS_STATEMENTS = re.compile(r"\s(-\w*f|--file\b)|<")
"""psql with `-c` alone ends with 1 after an error (psql(1), "Exit Status")."""
_STOPS = "ON_ERROR_STOP"
_PIPE = re.compile(r"(?<!\|)\|(?![|&])|\|&")
_PIPE_FAILS = "pipefail"


def unseen_failures(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each command that may end with exit code 0 although it failed, as the path of its key and a sentence."""
    for name, app in config.apps.items():
        for at, command in _commands(app):
            for says in _why_unseen(command):
                yield ("apps", name, *at), says


def _commands(app: App) -> Iterator[tuple[KeyPath, str]]:
    """Those by which data is changed or kept."""
    if app.migrate:
        yield ("migrate", "command"), app.migrate.command
        if app.migrate.down:
            yield ("migrate", "down"), app.migrate.down
    if app.backup:
        yield ("backup", "dump"), app.backup.dump
        yield ("backup", "restore"), app.backup.restore


def _why_unseen(command: str) -> Iterator[str]:
    if _PSQL.search(command) and _READS_STATEMENTS.search(command) and _STOPS not in command:
        yield (
            "psql goes on after an error and ends with exit code 0, so that a failure counts as success. Add "
            "--set=ON_ERROR_STOP=1"
        )
    if _PIPE.search(command) and _PIPE_FAILS not in command:
        yield (
            "a pipe has the exit code of its last program, so that a failure of the others counts as success. Use a "
            "file between them, or bash -o pipefail -c"
        )
