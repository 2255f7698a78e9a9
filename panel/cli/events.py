"""`changeover events`: follow the event stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import typer

from panel.cli import event_lines
from panel.cli.output import JsonOption, json_text, out, run, value_option
from panel.client.client import Client
from panel.client.events import LAST, Event
from panel.client.model import Deployment, DeploymentState

commands = typer.Typer()

NEVER_LIVE = (
    DeploymentState.FAILED,
    DeploymentState.CANCELLED,
    DeploymentState.SUPERSEDED,
    DeploymentState.UNCHANGED,
)


@commands.command()
def events(
    after: Annotated[int | None, typer.Option(help="Begin after the event of this id; 0 for all events.")] = None,
    deployment: Annotated[str, value_option("Only events of this deployment, from its first on, until it ends.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Follow the event stream until interrupted, or until the end of the deployment that --deployment names.

    Of one that has ended, the events are printed. How it ended makes no difference to the exit code. With --json, one
    event a line.
    """

    async def follow(client: Client) -> None:
        happening = _of_deployment(client, deployment, after or 0) if deployment else _of_all(client, after)
        async with aclosing(happening):
            async for event, answered in happening:
                if as_json:
                    print(json_text(answered), flush=True)
                else:
                    out.print(event_lines.dated_event(event))

    run(follow)


async def _of_all(
    client: Client, after: int | None, deployment: str = ""
) -> AsyncGenerator[tuple[Event, Any], None]:  # Any: JSON
    """Each event, and how the API told it. Without end."""
    async with aclosing(client.events(after, deployment)) as stream:
        async for event in stream:
            yield event, client.answer


async def _of_deployment(
    client: Client, deployment: str, after: int
) -> AsyncGenerator[tuple[Event, Any], None]:  # Any: JSON
    """As `_of_all`, until the deployment has ended: the API's stream goes on without an event then."""
    if _has_ended(await client.deployment(deployment)):
        cursor: int | None = after
        while cursor is not None:
            page = await client.events_so_far(deployment, cursor)
            for event, answered in zip(page.events, client.answer["events"], strict=True):
                yield event, answered
            cursor = page.after
        return
    async with aclosing(_of_all(client, after, deployment)) as stream:
        async for event, answered in stream:
            yield event, answered
            if event.kind in LAST:
                return


def _has_ended(one: Deployment) -> bool:
    """Whether it has no more events: of one that is live, the old release is drained."""
    return one.ended_at is not None or one.state in NEVER_LIVE
