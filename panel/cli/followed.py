"""A deployment that a command waits for: its progress is printed, by its events or, without a stream, as it changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from panel.cli import event_lines
from panel.cli.ci_log import CiLog
from panel.cli.output import CTRL_C, err, out
from panel.client import events
from panel.client.client import Client
from panel.client.drain_wait import NO_STREAM, each_change, until_drained
from panel.client.events import Event
from panel.client.model import Deployment

EventFilter = Callable[[Event], bool]


async def followed(
    client: Client, asked: Deployment, *, quiet: bool, printed: set[str], log: CiLog | None = None
) -> Deployment:
    """The deployment when it has ended and is drained. Prints its progress until then, into `log` if there is one;
    `printed` gets its output."""

    def is_told(event: Event) -> bool:
        if isinstance(event.what, events.Line):
            printed.add(event.what.line.rstrip())
        if log:
            log.show(event)
        return not quiet and log is None

    tell = log.tell if log else out.print
    try:
        happening = until_drained(client, asked.id)
        await _follow(client, happening, asked.id, is_told, drained=True, quiet=quiet, tell=tell)
    except CTRL_C:
        if log:
            log.close()
        err.print(
            f"Deployment {asked.id} of {asked.app} goes on without this command. "
            f"See how it ends: changeover show {asked.id}. Cancel it: changeover cancel {asked.id}",
            style="yellow",
            markup=False,
        )
        raise
    return await client.deployment(asked.id)


async def until_decided(client: Client, deployment: str, *, quiet: bool) -> None:
    """Returns when it is known whether the deployment has done what it is for. Prints its steps until then."""

    def is_told(event: Event) -> bool:
        return isinstance(event.what, events.Step) and not quiet

    happening = client.wait_until_decided(deployment)
    await _follow(client, happening, deployment, is_told, drained=False, quiet=quiet)


async def _follow(
    client: Client,
    happening: AsyncGenerator[Event, None],
    deployment: str,
    is_told: EventFilter,
    *,
    drained: bool,
    quiet: bool,
    tell: Callable[[str], None] = out.print,
) -> None:
    """To the end of `happening`, or of the deployment when there is no stream of events, or none any more."""
    shown: set[str] = set()
    try:
        async with aclosing(happening):
            async for event in happening:
                if is_told(event) and (line := event_lines.progress_line(event)):
                    shown.add(line)
                    tell(line)
    except NO_STREAM as error:
        if not quiet:
            says = f"Its events cannot be followed: {error.cause} Deployment {deployment} is asked for instead."
            err.print(says, style="yellow", markup=False)
        async with aclosing(each_change(client, deployment, drained=drained)) as changes:
            async for now in changes:
                for line in event_lines.step_lines(now) if not quiet else ():
                    if line not in shown:
                        shown.add(line)
                        tell(line)
