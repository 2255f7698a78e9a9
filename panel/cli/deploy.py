"""`changeover deploy`."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from panel.cli import text
from panel.cli.archive_upload import upload
from panel.cli.ci_log import LogFormat, progress_of
from panel.cli.deployments import finish
from panel.cli.followed import followed
from panel.cli.output import USAGE, JsonOption, PanelArgument, out, run, show, stop, value_option
from panel.cli.progress import ForPeople
from panel.client.client import Client
from panel.client.deployment_requests import Wanted
from panel.client.errors import ClientError
from panel.client.model import App, Deployment
from panel.client.update_model import Update
from panel.text.outcome import HEALTHY, file_not_used

commands = typer.Typer()

SHORTEST_COMMIT = 7
"""So many characters of a commit name it."""
TERMINATED = 128 + signal.SIGTERM


@commands.command()
def deploy(
    app: PanelArgument = "panel",
    ref: Annotated[str, value_option("Branch, tag, commit, version or digest. Default: the newest release.")] = "",
    image: Annotated[str, value_option("An image by NAME:TAG, NAME@DIGEST or id, instead of the source.")] = "",
    archive: Annotated[str, value_option("A tar archive, -: of standard input.", "FILE")] = "",
    version: Annotated[str, value_option("The version of the archive. Default: a part of its digest.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is live and drained, or has failed.")] = False,
    log_format: Annotated[LogFormat, typer.Option(help="How --wait prints the progress.")] = LogFormat.AUTO,
    migrate: Annotated[bool, typer.Option("--migrate", help="Run its migrations even if auto_run is off.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Deploy it even if it is live, unchanged, older than the schema, or without its data."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps and deploy nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Deploy the newest release of an app: build, back up, migrate, start, verify, switch; without APP, the panel."""
    refuse_what_does_not_fit(ref, image, archive, version, log_format, wait=wait, as_json=as_json)
    if dry_run:
        again = bool(force or migrate or image or archive)
        show(lambda client: client.plan(app), as_json, text.plan, markup=False)
        for says in () if as_json else run(lambda client: what_it_takes(client, app, ref, again=again)):
            out.print(says, markup=False)
        return

    # Without --wait there is only an outcome, which is for people: the deployment is queued.
    progress = progress_of(log_format, as_json=as_json) if wait or as_json else ForPeople()

    async def request(client: Client) -> Deployment:
        name = (await upload(client, app, archive)).archive if archive else ""
        wanted, key = Wanted(ref, image, name, version), secrets.token_hex(8)
        asked = await client.deploy(app, idempotency_key=key, migrate=migrate, force=force, wanted=wanted)
        if not wait:
            return asked
        with ends_by_sigterm():
            return await followed(client, asked, progress)

    try:
        finish(request, as_json, progress)
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None


def refuse_what_does_not_fit(
    ref: str, image: str, archive: str, version: str, log_format: LogFormat, *, wait: bool, as_json: bool
) -> None:
    """Ends the command for options that contradict each other."""
    if sum(map(bool, (ref, image, archive))) > 1:
        stop("--ref, --image and --archive name the release: give one of them.", USAGE)
    if version and not archive:
        stop("--version is that of an archive: give it with --archive.", USAGE)
    if log_format is not LogFormat.AUTO and (as_json or not wait):
        stop("--log-format is about the progress that --wait prints: give it with --wait and without --json.", USAGE)


@contextmanager
def ends_by_sigterm() -> Iterator[None]:
    """SIGTERM, by which a CI job is cancelled, ends the waiting in order: what goes on is said."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def what_it_takes(client: Client, app: str, ref: str, *, again: bool) -> list[str]:
    """Sentences: that the release is live already or why it is not offered as an update, unless it is deployed `again`,
    and that the file is not in use."""
    try:
        update = None if ref or again else await client.check(app)
        now = await client.app(app)
    except ClientError as error:
        return [f"Which release it would be is not known: {error}"]
    live = "" if again else live_already(now, update, ref)
    takes = now.held_back if update is None and not ref and not again else None
    newest = "Without --ref, the deployment takes the newest release of the source nevertheless."
    nevertheless = [f"! {takes.says} {newest}"] if takes else []
    return [*([live] if live else []), *nevertheless, *(f"! {says}" for says in file_not_used(now))]


def live_already(now: App, update: Update | None, ref: str) -> str:
    """A sentence if a deployment would change nothing, because this is live, made from the same configuration.

    Empty if not, and where only the source could say what the branch or tag `ref` is.
    """
    if now.active is None or now.configuration_changed or now.health != HEALTHY:
        return ""
    named = len(ref) >= SHORTEST_COMMIT and now.active.revision.startswith(ref)
    if not (named if ref else update is None and now.held_back is None):
        return ""
    return (
        f"{now.active.version} is live already, with this configuration: the deployment would end after fetch as "
        "unchanged. With --force it takes all of these steps."
    )
