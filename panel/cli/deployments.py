"""`changeover rollback`, `cancel`, `history`, `show` and `wait`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from panel.cli import text
from panel.cli.ci_log import progress_of
from panel.cli.followed import carried_out, until_decided
from panel.cli.output import (
    FAILED,
    REFUSED,
    USAGE,
    JsonOption,
    PanelArgument,
    err,
    out,
    print_json,
    run,
    show,
    stop,
    value_option,
    yes_option,
)
from panel.cli.progress import ForPeople, Progress, Silent
from panel.cli.question import ask
from panel.client.client import Client
from panel.client.errors import ClientError, NotFound
from panel.client.model import App, Deployment, DeploymentState
from panel.clock import utc_now
from panel.text import history as past
from panel.text.outcome import PAUSED, what_is_active

commands = typer.Typer()

EXIT_CODES = {
    DeploymentState.FAILED: FAILED,
    DeploymentState.CANCELLED: FAILED,
    DeploymentState.ROLLED_BACK: FAILED,
    DeploymentState.SUPERSEDED: REFUSED,
}


@commands.command()
def rollback(
    app: PanelArgument = "panel",
    restore: Annotated[str, value_option("Backup to restore first; 'backup list' has their ids.")] = "",
    yes: Annotated[bool, yes_option("the traffic goes back, or data is replaced (--restore)")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send the traffic back to the standby release, without APP that of the panel.

    Requests are paused only if the data must change, too.
    """
    container = ""
    if restore and not yes:
        confirm_restore(app, restore)
    elif not yes:
        container = confirm_rollback(app)

    carry_out(app, lambda client: client.rollback(app, restore, container), as_json)


@commands.command()
def cancel(
    deployment: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the deployment; 'status' and 'history' have it.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Cancel a deployment before it switches the traffic. What it has done is compensated."""
    says = f"Cancelling deployment {deployment}. Follow it with: changeover events --deployment {deployment}"
    show(lambda client: client.cancel(deployment), as_json, lambda _: says, markup=False)


@commands.command()
def history(
    app: PanelArgument = "panel",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Number of deployments.")] = 20,
    before: Annotated[int | None, typer.Option(min=0, help="The next page: the number below the page before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List an app's deployments, the newest first."""
    show(
        lambda client: client.history(app, limit, before),
        as_json,
        lambda page: past.history(app, page, utc_now(), limit),
    )


@commands.command("show")
def show_one(
    deployment: Annotated[str, typer.Argument(metavar="ID", help="Id of the deployment; 'history' has it.")],
    as_json: JsonOption = False,
) -> None:
    """Show one deployment: what was requested, its steps, and how it ended, with the log of a failure."""

    async def fetch(client: Client) -> tuple[Deployment, App | None]:
        one = await client.deployment(deployment)
        if as_json:
            print_json(client.answer)
        return one, await app_now(client, one.app) if one.failure and not as_json else None

    one, app = run(fetch)
    if not as_json:
        out.print(past.record(one, app, utc_now()))


@commands.command()
def wait(
    app: PanelArgument = "panel",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing; only set the exit code.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Wait for the end of an app's running deployment, if there is one. Exit code 1 when no release is active then."""

    async def until_ended(client: Client) -> App:
        found = await client.app(app)
        if found.deployment:
            progress = Silent() if quiet or as_json else ForPeople(steps_only=True)
            await until_decided(client, found.deployment.id, progress)
            found = await client.app(app)
        return found

    found = run(until_ended) if quiet else show(until_ended, as_json, what_is_active)
    if found.active is None:
        raise typer.Exit(FAILED)


async def cost(client: Client, app: str, kind: str) -> tuple[str, ...]:
    """What a rollback or restore costs those who are connected now, and what it does to the data; empty if an older
    orchestrator does not say it, or if it would be refused, as it then is."""
    try:
        return (await client.plan(app, kind)).cost
    except ClientError:
        return ()


def confirm_restore(app: str, backup: str, *, release: bool = False) -> None:
    """Say what a restore of this backup replaces, and ask. Ends the command when the answer is no."""
    run(lambda client: client.app(app))  # the backups of an app that is not configured any more are listed, too
    known = run(lambda client: client.backups(app))
    wanted = next((one for one in known if one.id == backup), None)
    says = []
    if wanted is None:
        stop(f"{app} has no backup '{backup}'.\nList its backups: changeover backup list {app}", USAGE)
    else:
        says.append(text.loss(wanted, utc_now()))
        says += [f"{wanted.version} gets the traffic instead of the release that is live."] if release else []
        says += run(lambda client: cost(client, app, "restore"))
    ask(f"Restore backup {backup}?", says)


def confirm_rollback(app: str) -> str:
    """Say which release gets the traffic and what that costs, and ask. Ends the command when the answer is no.

    Returns the standby's container, which the question is about; empty without one: then the rollback is refused.
    """
    known = run(lambda client: client.app(app))
    if known.standby is None:
        return ""
    live = known.active.version if known.active else "no release"
    says = [f"{known.standby.version} on {known.standby.colour} gets the traffic instead of {live}."]
    says += [known.standby.warning] if known.standby.warning else []
    ask(f"Roll {app} back?", [*says, *run(lambda client: cost(client, app, "rollback"))])
    return known.standby.container


def carry_out(app: str, request: Callable[[Client], Awaitable[Deployment]], as_json: bool) -> None:
    """Send a request for a rollback or restore, which is answered when that has ended; print its progress and how it
    ended, and end the command with the exit code for it. With JSON, only the answer."""
    progress = progress_of(as_json=as_json)

    async def ended(client: Client) -> Deployment:
        return await (request(client) if as_json else carried_out(client, app, request(client), progress))

    finish(ended, as_json, progress)


def finish(ask: Callable[[Client], Awaitable[Deployment]], as_json: bool, progress: Progress) -> None:
    """Print how a deployment ended, and end the command with the exit code for it."""

    async def ended(client: Client) -> tuple[Deployment, App | None]:
        one = await ask(client)
        if as_json:
            print_json(client.answer)
        # Also of one that is live: it gets no requests while they are paused. And of one that is queued: the saved file
        # may not be what it takes.
        return one, await app_now(client, one.app)

    one, app = run(ended)
    is_paused = one.state != DeploymentState.QUEUED and app is not None and app.health == PAUSED
    progress.outcome(one, app)
    if code := exit_code(one) or (FAILED if is_paused else 0):
        raise typer.Exit(code)


async def app_now(client: Client, app: str) -> App | None:
    """The app as it is now; None, after printing why, when it is not configured any more or the request fails."""
    try:
        return await client.app(app)
    except NotFound:
        err.print(f"{app} is not configured any more.", markup=False)
        return None
    except ClientError as error:
        err.print(str(error), style="red", markup=False)
        return None


def exit_code(one: Deployment) -> int:
    """The exit code for a deployment. 0 if it is live, queued or running, or its state is not known."""
    return next((code for state, code in EXIT_CODES.items() if one.state == state), 0)
