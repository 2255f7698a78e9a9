"""`changeover migrate`: what an app's data has been through."""

from __future__ import annotations

from typing import Annotated

import typer

from panel import show
from panel.running import out, print_json, run

migrate = typer.Typer(help="Schema changes of an app's data.", no_args_is_help=True)


@migrate.callback()
def _group() -> None:
    """Schema changes of an app's data."""


@migrate.command("status")
def status(
    app: Annotated[str, typer.Argument(help="The app; the panel when not given.")] = "panel",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what is applied, what is pending, and what a rollback would need."""
    found = run(lambda client: client.migrations(app))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        out.print(show.migrations(found))
