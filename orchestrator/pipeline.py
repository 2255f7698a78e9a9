"""Steps carried out one after the other, each journaled before and after; and undone in reverse when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from orchestrator import holding
from orchestrator.errors import ChangeoverError, EngineError, JournalError, ProxyError, StepFailed
from orchestrator.events import EventStream
from orchestrator.journal import now
from orchestrator.model import Deployment, Failure, Kind, State, StepName, StepState
from orchestrator.site import Site

T = TypeVar("T")
RETRY_S = 1.0
ENGINE_BACK_S = 60.0
"""How long an undo waits for an engine that does not answer, each time."""


@dataclass(frozen=True)
class Step:
    """What to do, and how to undo it. `undo` says in a sentence what it undid, or nothing."""

    name: StepName
    do: Callable[[Site, Deployment], Awaitable[Deployment]]
    undo: Callable[[Site, Deployment], Awaitable[str]] | None = None


def heading_for(made: Deployment, record: Deployment, left: str) -> Deployment:
    """A record that begins now, of going to a container that another deployment has made."""
    return replace(
        record,
        state=State.RUNNING,
        started_at=now(),
        release=made.release,
        colour=made.colour,
        container=made.container,
        address=made.address,
        port=made.port,
        previous=left,
    )


async def carry_out(site: Site, events: EventStream, deployment: Deployment, steps: tuple[Step, ...]) -> Deployment:
    """Do one step after the other; if one fails, undo all that were begun, and record why."""
    under_way = steps[0].name
    try:
        for step in steps:
            under_way = step.name
            deployment = await perform(site, events, step, deployment)
    except asyncio.CancelledError:
        failure = Failure(under_way, "It was cancelled.")
        return await undo(site, events, deployment, State.CANCELLED, failure, steps)
    except ChangeoverError as error:
        recorded = await patiently(lambda: site.journal.deployment(deployment.id))
        if recorded.state is State.LIVE:
            return await _finish_live(site, replace(recorded, changes=deployment.changes), under_way)
        return await undo(site, events, deployment, State.FAILED, why(under_way, error), steps)
    except Exception as error:
        # A defect of ours must not leave a half-made deployment behind either: undo, record, then let it be seen.
        failure = Failure(under_way, f"Unexpected {type(error).__name__}: {error}.", "This is a defect in Changeover.")
        await undo(site, events, deployment, State.FAILED, failure, steps)
        raise
    return deployment


async def _finish_live(site: Site, live: Deployment, last: StepName) -> Deployment:
    """It is on record that it is live; what failed after that is only the telling, and that held requests go on."""
    live = await _let_go(site, live)
    await patiently(lambda: site.journal.step_ended(live.id, last, StepState.DONE))
    return live


async def _let_go(site: Site, deployment: Deployment) -> Deployment:
    """However long proxy or journal are away, or their disk is full: nobody may be left waiting."""
    away = retry_if_exception_type((ProxyError, JournalError))
    async for attempt in AsyncRetrying(retry=away, wait=wait_fixed(RETRY_S)):
        with attempt:
            return await holding.release(site, deployment)
    raise AssertionError  # what has no limit does not end


def publish_live(events: EventStream, live: Deployment) -> None:
    events.publish(
        "live",
        live.app,
        live.id,
        seconds=live.seconds_to_live,
        colour=live.colour,
        rollback=live.kind is Kind.ROLLBACK,
        held=live.held_seconds,
    )


async def perform(site: Site, events: EventStream, step: Step, deployment: Deployment) -> Deployment:
    """Do a step: its intent is in the journal before it begins, its result before the next one does."""
    site.journal.step_started(deployment.id, step.name)
    events.publish("step", site.name, deployment.id, step=step.name, state=StepState.RUNNING)
    try:
        deployment = await step.do(site, deployment)
    except BaseException as error:
        note = str(error)
        await patiently(lambda: site.journal.step_ended(deployment.id, step.name, StepState.FAILED, note))
        failed = {"step": step.name, "state": StepState.FAILED, "note": note}
        await patiently(lambda: events.publish("step", site.name, deployment.id, **failed))
        raise
    site.journal.save(deployment)
    site.journal.step_ended(deployment.id, step.name, StepState.DONE)
    events.publish("step", site.name, deployment.id, step=step.name, state=StepState.DONE)
    return deployment


async def undo(
    site: Site,
    events: EventStream,
    deployment: Deployment,
    end: State,
    failure: Failure,
    steps: tuple[Step, ...],
) -> Deployment:
    """Undo, in reverse, every step that was begun, and record why it ended. One undo that fails stops no other."""
    recorded = await patiently(lambda: site.journal.deployment(deployment.id))
    deployment = replace(recorded, changes=deployment.changes)
    begun = {step.name for step in deployment.steps}
    undone = []
    for step in reversed(steps):
        if step.undo and step.name in begun:
            for said in await _undo_step(site, step.name, step.undo, deployment):
                undone.append(said)
                site.say(deployment.id, said)
    deployment = await _let_go(site, deployment)
    ended = replace(deployment, state=end, failure=replace(failure, undone=tuple(undone)), ended_at=now())
    await patiently(lambda: site.journal.save(ended))
    kind = "failed" if end is State.FAILED else str(end)
    await patiently(lambda: events.publish(kind, site.name, ended.id, step=failure.step, cause=failure.cause))
    return ended


async def _undo_step(
    site: Site, name: StepName, undo_it: Callable[[Site, Deployment], Awaitable[str]], deployment: Deployment
) -> list[str]:
    """What was tried, and what came of it: `update.rollback.max_rollback_attempts` times at most."""
    attempts = site.app.update.rollback.max_rollback_attempts
    tried = []
    for attempt in range(1, attempts + 1):
        try:
            said = await undo_it(site, deployment)
        except ChangeoverError as error:
            tried.append(f"Could not undo {name} (attempt {attempt} of {attempts}): {error}")
            if attempt < attempts:
                await asyncio.sleep(RETRY_S)
            if isinstance(error, EngineError):
                # Without it nothing can be undone; whoever restarts it needs a moment.
                await site.engine.wait_until_up(ENGINE_BACK_S)
            if isinstance(error, JournalError):
                await patiently(lambda: site.journal.slots(site.name))
        else:
            return [*tried, said] if said else tried
    return tried


async def patiently(ask_journal: Callable[[], T]) -> T:
    """On a full disk, or without its server, this waits: an end that nobody recorded, or heard of, is none."""
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(JournalError), wait=wait_fixed(RETRY_S)):
        with attempt:
            return ask_journal()
    raise AssertionError  # what has no limit does not end


def why(step: StepName, error: ChangeoverError) -> Failure:
    if isinstance(error, StepFailed):
        return Failure(step, error.cause, error.remedy, error.log, error.exit_code, error.oom)
    return Failure(step, error.cause, error.remedy)
