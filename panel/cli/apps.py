"""`changeover status`, `pause` and `resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import (
    AppArgument,
    JsonOption,
    show,
)
from panel.client.client import Client
from panel.client.model import Apps

commands = typer.Typer()

LimitOption = Annotated[
    float, typer.Option(min=0.001, max=600, help="Seconds that one request may wait before it gets status 503.")
]


@commands.command()
def status(
    app: Annotated[str, typer.Argument(metavar="APP", help="Name of the app; without it, all apps.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show every app, or one: its active and standby release, health, update, and deployment under way.

    With --json, all apps are in a list named apps; one app is the answer itself.
    """

    async def found(client: Client) -> Apps:
        return Apps(apps=(await client.app(app),)) if app else await client.status()

    show(found, as_json, text.status)


@commands.command()
def pause(app: AppArgument, limit: LimitOption = 30, as_json: JsonOption = False) -> None:
    """Pause an app: new requests wait at the proxy until 'resume', or until the orchestrator is restarted."""
    says = f"{app} is paused. New requests wait up to {limit:g} s each. Resume with: changeover resume {app}"
    show(lambda client: client.pause(app, limit), as_json, lambda _: says, markup=False)


@commands.command()
def resume(app: AppArgument, as_json: JsonOption = False) -> None:
    """Resume an app: waiting and new requests go to its active release."""
    show(lambda client: client.resume(app), as_json, lambda _: f"{app} is resumed.", markup=False)


# The former names of these commands.
commands.command("hold", hidden=True)(pause)
commands.command("release", hidden=True)(resume)
