"""`changeover migrate`: the schema of an app's data."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli.output import AppArgument, JsonOption, PanelArgument, run, show, yes_option
from panel.cli.question import ask
from panel.clock import utc_now
from panel.text.migrations import migrations as in_words

commands = typer.Typer(no_args_is_help=True)


@commands.callback()
def group() -> None:
    """Show the schema migrations of an app's data."""


@commands.command("accept")
def accept(
    app: AppArgument,
    yes: Annotated[bool, yes_option("the data is accepted as it is")] = False,
    as_json: JsonOption = False,
) -> None:
    """Accept the data as a failed migration left it: 'status' and 'doctor' stop to report it. Nothing is changed."""
    if not yes:
        left = run(lambda client: client.app(app)).unsettled
        if left:
            ask(f"Is the data of {app} as it should be?", [left.says])
    says = f"The data of {app} is accepted as it is."
    show(lambda client: client.accept_data(app), as_json, lambda _: says, markup=False)


@commands.command("status")
def status(app: PanelArgument = "panel", as_json: JsonOption = False) -> None:
    """Show applied and pending schema revisions, past runs, and what a rollback needs."""
    show(lambda client: client.migrations(app), as_json, lambda found: in_words(found, utc_now()))
