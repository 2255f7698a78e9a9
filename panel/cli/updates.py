"""`changeover check`, `versions` and `skip`: updates, the versions of a source, and those that are never offered."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text, version_text
from panel.cli.output import AppArgument, JsonOption, PanelArgument, out, print_json, run, show
from panel.client.client import Client
from panel.clock import utc_now
from panel.text.markup import output

commands = typer.Typer()


@commands.command()
def check(
    app: PanelArgument = "panel",
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Ask for everything again, past all caches on the way.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask an app's source for an update, and show what it changes. With --json, null says that there is none."""

    async def ask(client: Client) -> str:
        update = await client.check(app, afresh=afresh)
        if as_json:
            print_json(client.answer)
            return ""
        if update:
            return text.update(app, update, utc_now(), await client.app(app))
        return output(text.up_to_date(await client.app(app)))

    if says := run(ask):
        out.print(says)


@commands.command()
def versions(app: PanelArgument = "panel", as_json: JsonOption = False) -> None:
    """List the versions that an app's source has, the newest first; 'deploy APP --ref REF' deploys one of them."""
    show(lambda client: client.versions(app), as_json, lambda found: version_text.versions(app, found, utc_now()))


@commands.command()
def skip(
    app: AppArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version, as 'changeover versions' shows it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Offer the version again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Never offer a version, nor install it by itself. It can still be deployed by hand."""
    says = f"{app} {version} {'is offered again' if undo else 'is not offered any more'}."
    show(lambda client: client.skip(app, version, undo=undo), as_json, lambda _: says, markup=False)
