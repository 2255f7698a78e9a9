"""`changeover audit`: the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import JsonOption, show, value_option

commands = typer.Typer()


@commands.command()
def audit(
    app: Annotated[str, value_option("Only requests for this app.")] = "",
    who: Annotated[str, value_option("Only requests with the token of this name.")] = "",
    refused: Annotated[bool, typer.Option("--refused", help="Only requests that were refused or failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many entries.")] = 50,
    before: Annotated[int | None, typer.Option(min=0, help="Only entries with smaller ids: the next page.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, from where and when, and the outcome; the newest entries first. Requires the scope admin."""
    options = [*(("--app", app) if app else ()), *(("--who", who) if who else ()), *(("--refused",) if refused else ())]
    show(
        lambda client: client.audit(limit, before, app=app, who=who, refused=refused),
        as_json,
        lambda page: text.audit(page, [*options, "--limit", str(limit)]),
    )
