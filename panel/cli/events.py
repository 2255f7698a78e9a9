"""`changeover events`: follow the event stream."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated

import typer

from panel.cli import event_lines
from panel.cli.output import JsonOption, json_text, out, run, value_option
from panel.client.client import Client

commands = typer.Typer()


@commands.command()
def events(
    after: Annotated[int | None, typer.Option(help="Begin after the event of this id; 0 for all events.")] = None,
    deployment: Annotated[str, value_option("Only events of this deployment, from its first on.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Follow the event stream until interrupted. With --json, one event a line."""
    start = 0 if deployment and after is None else after

    async def follow(client: Client) -> None:
        async with aclosing(client.events(start, deployment)) as happening:
            async for event in happening:
                if as_json:
                    print(json_text(client.answer), flush=True)
                else:
                    out.print(event_lines.dated_event(event))

    run(follow)
