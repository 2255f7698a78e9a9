"""`changeover status`, `logs`, `pause` and `resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import (
    USAGE,
    AppArgument,
    JsonOption,
    PanelArgument,
    err,
    json_text,
    print_json,
    print_text,
    run,
    show,
    stop,
)
from panel.cli.read_ahead import OUT, each, reading_ahead, text_for
from panel.client.client import Client
from panel.client.errors import Unreachable
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
def logs(
    app: PanelArgument = "panel",
    tail: Annotated[int, typer.Option(min=0, max=10_000, help="Number of lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines, too, until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last lines of the log of an app's active container."""
    if follow:
        run(lambda client: _follow(client, app, tail, as_json))
        return
    if not tail:
        stop("--tail 0 shows no line. Add --follow, or ask for 1 to 10000 lines.", USAGE)

    async def last_lines(client: Client) -> tuple[str, ...]:
        lines = await client.logs(app, tail)
        if as_json:
            print_json(client.answer)
        return tuple(lines)

    lines = run(last_lines)
    if as_json:
        return
    if lines:
        print_text("\n".join(lines))
    else:
        err.print(f"The log of {app} is empty: its active container has printed nothing.", markup=False)


async def _follow(client: Client, app: str, tail: int, as_json: bool) -> None:
    async with reading_ahead() as (ahead, reader):
        try:
            async for line in each(client.follow_logs(app, tail), ahead):
                await ahead.put([text_for(OUT, json_text(client.answer) if as_json else line)])
        except Unreachable as error:
            raise reader.explains(error, "The log is not followed any more") from error


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
