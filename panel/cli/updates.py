"""`changeover check`: check for an update."""

from __future__ import annotations

import typer

from panel.cli import text
from panel.cli.output import AppArgument, JsonOption, show
from panel.client.model import Update
from panel.clock import utc_now

commands = typer.Typer()


@commands.command()
def check(app: AppArgument = "panel", as_json: JsonOption = False) -> None:
    """Ask an app's source for an update, and show what it changes."""

    def says(update: Update | None) -> str:
        return text.update(app, update, utc_now()) if update else f"{app} is up to date."

    show(lambda client: client.check(app), as_json, says)
