"""A deployment that a command waits for: its progress is printed, by its events or, without a stream, as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from typing import Any

from panel.cli.output import CTRL_C, err
from panel.cli.progress import Progress
from panel.client.client import Client
from panel.client.drain_wait import NO_STREAM, each_change, until_drained
from panel.client.errors import ClientError, NotSignedIn, Unanswered
from panel.client.events import Event
from panel.client.model import Deployment, DeploymentKind, DeploymentState
from panel.text.outcome import named

LOOKED_FOR_EVERY_S = 0.2
"""How often the deployment is looked for that a request has begun which is answered at its end."""


async def followed(client: Client, asked: Deployment, progress: Progress) -> Deployment:
    """The deployment when it has ended and is drained. Its progress is told until then."""
    with _said_to_go_on(client, asked), closing(progress):
        await _follow(client, until_drained(client, asked.id), asked.id, progress, drained=True)
    return await client.deployment(asked.id)


async def until_decided(client: Client, deployment: str, progress: Progress) -> None:
    """Returns when it is known whether the deployment has done what it is for. Its progress is told until then."""
    with closing(progress):
        await _follow(client, client.wait_until_decided(deployment), deployment, progress, drained=False)


async def carried_out(client: Client, app: str, request: Awaitable[Deployment], progress: Progress) -> Deployment:
    """A rollback or restore when it has ended and is drained, for a `request` that is answered only when it has ended.

    Its progress is told as soon as the orchestrator has begun it; then it is followed to its end also where the answer
    is lost, as when the orchestrator is started again. Raises the ClientError of the request.
    """
    answer = asyncio.ensure_future(request)
    try:
        begun = await _begun(client, app, answer)
        if begun:
            with _said_to_go_on(client, begun), closing(progress):
                await _followed_until_answered(client, begun, answer, progress)
            with suppress(Unanswered):
                await answer
            if _is_lost(answer):
                return await client.deployment(begun.id)
        ended = await answer
        if ended.state != DeploymentState.LIVE:
            return ended
        if begun and begun.id == ended.id:
            return await client.deployment(ended.id)
        # What the release before still has in hand may be cut by its drain, which is part of the result.
        return await followed(client, ended, progress)
    except ClientError as error:
        if not answer.done() or answer.cancelled() or answer.exception():
            raise
        err.print(f"What its drain cuts is not known: {error}", style="red", markup=False)
        return answer.result()
    finally:
        answer.cancel()
        await asyncio.wait([answer])


async def _begun(client: Client, app: str, answer: asyncio.Future[Deployment]) -> Deployment | None:
    """The rollback or restore that runs, which is the one that was asked for: another one would have refused it. None
    if it was answered before it was seen."""
    while not answer.done():
        await asyncio.wait([answer], timeout=LOOKED_FOR_EVERY_S)
        with suppress(ClientError):  # the request itself says what is wrong
            now = None if answer.done() else (await client.app(app)).deployment
            found = await client.deployment(now.id) if now else None
            if found and found.kind in (DeploymentKind.ROLLBACK, DeploymentKind.RESTORE):
                return found
    return None


async def _followed_until_answered(
    client: Client, begun: Deployment, answer: asyncio.Future[Deployment], progress: Progress
) -> None:
    """To the end of what has begun, or until the request fails, which its caller sees.

    One whose answer is lost has not failed: what becomes of it is on record.
    """
    following = asyncio.ensure_future(
        _follow(client, until_drained(client, begun.id), begun.id, progress, drained=True)
    )
    try:
        either: list[asyncio.Future[Any]] = [answer, following]  # Any: of different types
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not (answer.done() and answer.exception()) or _is_lost(answer):
            await following
    except ClientError as error:
        progress.lost(begun.id, f"{error.cause}")
    finally:
        following.cancel()
        await asyncio.wait([following])


def _is_lost(answer: asyncio.Future[Deployment]) -> bool:
    return answer.done() and isinstance(answer.exception(), Unanswered)


@contextmanager
def _said_to_go_on(client: Client, asked: Deployment) -> Iterator[None]:
    """Ctrl-C says what goes on without the command, and how it is cancelled. So does the end of the token with which it
    was asked for: who revokes one cancels nothing."""
    try:
        yield
    except (*CTRL_C, NotSignedIn):
        client.waits_for_a_change = False  # that it goes on is said here
        err.print(
            f"{named(asked)} of {asked.app} goes on without this command. "
            f"See how it ends: changeover show {asked.id}. Cancel it: changeover cancel {asked.id}",
            style="yellow",
            markup=False,
        )
        raise


async def _follow(
    client: Client, happening: AsyncGenerator[Event, None], deployment: str, progress: Progress, *, drained: bool
) -> None:
    """To the end of `happening`, or of the deployment when there is no stream of events, or none any more."""
    try:
        async with aclosing(happening):
            async for event in happening:
                progress.event(event)
    except NO_STREAM as error:
        progress.lost(deployment, error.cause)
        async with aclosing(each_change(client, deployment, drained=drained)) as changes:
            async for now in changes:
                progress.change(now)
