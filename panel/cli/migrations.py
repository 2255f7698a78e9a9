"""`changeover migrate`: the schema of an app's data."""

from __future__ import annotations

import typer

from panel.cli import text
from panel.cli.output import AppArgument, JsonOption, show
from panel.clock import utc_now

commands = typer.Typer(no_args_is_help=True)


@commands.callback()
def group() -> None:
    """Show the schema migrations of an app's data."""


@commands.command("status")
def status(app: AppArgument = "panel", as_json: JsonOption = False) -> None:
    """Show applied and pending schema revisions, past runs, and what a rollback needs."""
    show(lambda client: client.migrations(app), as_json, lambda found: text.migrations(found, utc_now()))
