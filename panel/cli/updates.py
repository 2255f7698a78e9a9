"""`changeover check`: check for an update."""

from __future__ import annotations

import typer

from panel.cli import text
from panel.cli.output import JsonOption, PanelArgument, out, print_json, run
from panel.client.client import Client
from panel.clock import utc_now
from panel.text.markup import output

commands = typer.Typer()


@commands.command()
def check(app: PanelArgument = "panel", as_json: JsonOption = False) -> None:
    """Ask an app's source for an update, and show what it changes. With --json, null says that there is none."""

    async def ask(client: Client) -> str:
        update = await client.check(app)
        if as_json:
            print_json(client.answer)
            return ""
        if update:
            return text.update(app, update, utc_now())
        return output(text.up_to_date(await client.app(app)))

    if says := run(ask):
        out.print(says)
