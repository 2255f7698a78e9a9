"""Answers about deployments: why one failed, what changed since a moment, the history of an app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from panel.client.client import Client
from panel.client.errors import NotFound
from panel.client.model import Deployment, DeploymentState
from panel.console.answer import Answer, columns, of_markup
from panel.console.answers.asked import Asked
from panel.text.counted import counted
from panel.text.history import record, state_now
from panel.text.outcome import ending, named, release_of

T = TypeVar("T")
NONE = "–"
PAGE, MOST_PAGES = 50, 4
"""Deployments of an app that are looked through for one that failed, or for a moment: 200."""
AT_ONCE = 8
"""Requests at the same time, one an app."""
SHOWN_CHANGES = 3
"""Of a deployment, in a list."""
SHOWN = 10


async def why(asked: Asked) -> Answer:
    """Of the app or, without one, of whichever failed last."""
    if asked.meant.values.get("deployment"):
        return await show(asked)
    failed = [one for one in await _each(asked, _last_failure) if one]
    if not failed:
        whose = f" of {asked.app}" if asked.app else ""
        return Answer(f"No deployment{whose} has failed, of those that are on record.", asked.command_line())
    newest = max(failed, key=lambda one: one.requested_at)
    whole = await asked.client.deployment(newest.id)
    says = f"{named(whole)} of {release_of(whole)}, {asked.at(whole.requested_at)}, by {whole.requested_by}:"
    return Answer(f"{says}\n{of_markup(ending(whole))}", asked.command_line(deployment=whole.id))


async def show(asked: Asked) -> Answer:
    one = await asked.client.deployment(asked.meant.values["deployment"])
    try:
        app = await asked.client.app(one.app)
    except NotFound:
        app = None
    return Answer(of_markup(record(one, app, asked.now, asked.times)), asked.command_line())


async def history(asked: Asked) -> Answer:
    number = max(1, min(int(asked.meant.values.get("number", SHOWN)), PAGE))
    page = await asked.client.history(asked.app, limit=number)
    if not page.deployments:
        return Answer(f"{asked.app} has no deployments.", asked.command_line())
    says = _list(page.deployments, asked, with_app=False)
    return Answer(says, asked.command_line(number=str(number)))


async def changed(asked: Asked) -> Answer:
    since = asked.meant.moments.get("when") or asked.now.replace(hour=0, minute=0, second=0, microsecond=0)

    async def of(client: Client, app: str) -> Sequence[Deployment]:
        return await _since(client, app, since)

    found = [one for several in await _each(asked, of) for one in several]
    found.sort(key=lambda one: one.requested_at, reverse=True)
    whose = f" of {asked.app}" if asked.app else ""
    if not found:
        return Answer(f"Nothing was deployed{whose} since {asked.at(since)}.", asked.command_line())
    says = f"{counted(len(found), 'deployment')}{whose} since {asked.at(since)}, the newest first:"
    return Answer(f"{says}\n{_list(found, asked, with_app=True)}", asked.command_line())


async def _each(asked: Asked, ask: Callable[[Client, str], Awaitable[T]]) -> list[T]:
    """What is answered for the app, or for each of them."""
    apps = [asked.app] if asked.app else [app.name for app in (await asked.found()).apps]
    may_ask = asyncio.Semaphore(AT_ONCE)

    async def one(app: str) -> T:
        async with may_ask:
            return await ask(asked.client, app)

    return await asyncio.gather(*(one(app) for app in apps))


async def _last_failure(client: Client, app: str) -> Deployment | None:
    page = await client.history(app, limit=PAGE)
    return next((one for one in page.deployments if one.failure or one.state == DeploymentState.FAILED), None)


async def _since(client: Client, app: str, since: datetime) -> Sequence[Deployment]:
    found: list[Deployment] = []
    before = None
    for _ in range(MOST_PAGES):
        page = await client.history(app, PAGE, before)
        found += [one for one in page.deployments if one.requested_at >= since]
        before = page.before
        if before is None or len(page.deployments) == 0 or page.deployments[-1].requested_at < since:
            break
    return found


def _list(found: Sequence[Deployment], asked: Asked, *, with_app: bool) -> str:
    rows = [
        (asked.at(one.requested_at), *((one.app,) if with_app else ()), one.id, one.kind, state_now(one),
         one.version or NONE, one.requested_by, _what(one))
        for one in found
    ]  # fmt: skip
    return columns(rows)


def _what(one: Deployment) -> str:
    """Why it failed, or the first of its changes."""
    if one.failure:
        return f"{one.failure.step}: {one.failure.cause}"
    subjects = [change.subject for change in one.changes[:SHOWN_CHANGES]]
    more = len(one.changes) - len(subjects)
    return "; ".join(subjects) + (f"; {more} more" if more > 0 else "")
