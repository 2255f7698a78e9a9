"""The `changeover` command, put together from its groups. `panel/cli/output.py` has the exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import (
    alerts,
    apps,
    audit,
    backups,
    configuration,
    deploy,
    deployments,
    doctor,
    events,
    logs,
    migrations,
    notify,
    one_off,
    panel,
    pushes,
    removal,
    sessions,
    tokens,
    updates,
)
from panel.version import release

HELP = """Blue-green deployments on one Docker host.

Exit codes:
0 done
1 failed
2 wrong usage or configuration
3 refused: busy, or nothing to roll back to
4 orchestrator unreachable, or token not accepted
130 interrupted by Ctrl-C
run and exec end with the exit code of their command

Environment:
CHANGEOVER_URL (default http://127.0.0.1:8090, or the port in .changeover/api-port)
CHANGEOVER_TOKEN, or CHANGEOVER_TOKEN_FILE (default .changeover/token)
"""

command = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for group in (
    apps,
    logs,
    updates,
    deploy,
    deployments,
    events,
    configuration,
    doctor,
    audit,
    alerts,
    removal,
    one_off,
    panel,
    pushes,
):
    command.add_typer(group.commands)
command.add_typer(backups.commands, name="backup")
command.add_typer(migrations.commands, name="migrate")
command.add_typer(notify.commands, name="notify")
command.add_typer(tokens.commands, name="token")
command.add_typer(sessions.commands, name="session")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"changeover {release()}")
        raise typer.Exit


@command.callback(help=HELP)
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version of the command.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    command()
