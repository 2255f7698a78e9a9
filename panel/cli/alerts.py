"""`changeover alerts`, `mute` and `unmute`: what went wrong, and whether people are told of it."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import alert_text
from panel.cli.lengths import length_of, moment_of
from panel.cli.output import USAGE, AppArgument, JsonOption, show, stop, value_option
from panel.client.alert_model import Mute
from panel.clock import utc_now
from panel.text.markup import inline
from panel.text.moments import muted_until

MOST_HOURS = 168

commands = typer.Typer()


@commands.command()
def alerts(
    app: Annotated[str, value_option("Only those of this app.")] = "",
    since: Annotated[str, value_option("Only those that have not ended before: 2d, 12h, 2026-11-28.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    before: Annotated[int | None, typer.Option(min=0, help="Only alerts with smaller ids: the next page.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what went wrong, the newest first: deployments that failed, apps that were away, failovers, a full disk.

    Alerts are kept for 90 days. Times are in the time zone of this machine.
    """
    moment = moment_of(since, "--since", utc_now()) if since else None
    options = [*(("--app", app) if app else ()), *(("--since", since) if since else ()), "--limit", str(limit)]
    show(
        lambda client: client.alerts(app, moment, limit, before),
        as_json,
        lambda page: alert_text.alerts(page, options, utc_now()),
    )


@commands.command()
def mute(
    app: AppArgument,
    length: Annotated[str, value_option("How long: 30m, 4h, 2d; at most 7d.", "LENGTH", "--for")] = "4h",
    as_json: JsonOption = False,
) -> None:
    """Send no notices of an app for some hours, and make no toast in the panel. Everything is recorded as before."""
    hours = length_of(length, "--for").total_seconds() / 3600
    if not 0 < hours <= MOST_HOURS:
        stop("--for is longer than 0 and at most 7d.", USAGE)

    def says(muted: Mute) -> str:
        until = muted_until(muted.muted_until, utc_now()) if muted.muted_until else "muted"
        return f"{inline(app)} is {until}. End it with: changeover unmute {inline(app)}"

    show(lambda client: client.mute(app, hours), as_json, says)


@commands.command()
def unmute(app: AppArgument, as_json: JsonOption = False) -> None:
    """Send notices of an app again. What happened meanwhile is not sent."""
    show(lambda client: client.unmute(app), as_json, lambda _: f"{inline(app)} is not muted any more.")
