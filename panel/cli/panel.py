"""`changeover panel`: the control panel in a terminal."""

from __future__ import annotations

import typer

from panel.cli.output import run

commands = typer.Typer()


@commands.command()
def panel() -> None:
    """Open the control panel in this terminal."""
    # Imported here: Textual takes 0.2 s to load, and no other command needs it.
    from panel.terminal import run_in_terminal

    run(lambda client: client.apps())
    if code := run_in_terminal():
        raise typer.Exit(code)
