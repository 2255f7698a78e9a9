"""Parking the standby: it does no work, and holds nothing that the active release waits for."""

from __future__ import annotations

import asyncio

import structlog

from orchestrator.app_data import migrations
from orchestrator.apps import readiness
from orchestrator.apps.context import AppContext
from orchestrator.deploy.held_locks import LockWatch, WatchLost
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import ContainerStatus
from orchestrator.errors import EngineError, StepFailed
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()

TRIES = 10
BETWEEN_TRIES_S = 0.15
"""How long a standby that held a lock runs on before it is paused again: others get the lock meanwhile."""


def kept_as(context: AppContext, standby: Deployment) -> str:
    """How the standby is kept: as the key `standby` says, but stopped if it cannot run on the data as it is.

    It stays warm while a one-off command runs inside: that would be frozen with it, and in a paused container Docker
    begins nothing, so that nobody could end it.
    """
    if not migrations.needed_by(context, standby).is_empty:
        return "stopped"
    return "warm" if context.commands.are_in(standby.container) else context.config.standby


def is_parked(context: AppContext, standby: Deployment, status: ContainerStatus | None) -> bool:
    """Whether the standby's container is as it is kept. One that could not be paused is not started again."""
    if status is None:
        return True
    match kept_as(context, standby):
        case "warm":
            return (status.running or status.restarting) and not status.paused
        case "paused":
            runs = status.running or status.restarting
            return status.paused or (not runs and bool(context.not_paused.why_of(standby.container)))
        case _:
            return not (status.running or status.restarting)


async def park(context: AppContext, standby: Deployment, said_by: Deployment) -> None:
    """Keep the standby as `kept_as` says. Its requests must be drained. A cancel leaves it running, or paused without
    a lock.

    One that is to be paused and does not run, as after a restore or a restart of the host, is started first: a rollback
    and a failover are to find it as after any deployment. Raises EngineError, ProxyError or JournalError.
    """
    if standby.colour is None:
        return
    await context.proxy.rest(context.name, standby.colour)
    kept = kept_as(context, standby)
    if kept == "warm":
        if context.config.standby == "warm":  # not only while a one-off command runs inside
            # One that was kept paused has no restart policy. The engine waits longer from crash to crash.
            await context.engine.keep_running(standby.container)
        await context.engine.wake(standby.container, standby.address)
        return
    await context.engine.let_end(standby.container)
    if kept == "paused" and await _paused(context, standby, said_by):
        return
    async with context.standby_turn:
        if _is_standby(context, standby):
            await context.engine.stop(standby.container, context.config.drain.stop_timeout)


async def _paused(context: AppContext, standby: Deployment, said_by: Deployment) -> bool:
    """Pause the standby at a moment at which it holds no lock on the data. False: it must be stopped instead.

    One that ended meanwhile is started once more, and one whose sidecar ended is watched once more: the kernel, or a
    person, may have killed either.
    """
    why = await _why_not_kept(context, standby)
    if why and await _why_ended(context, standby):
        why = await _why_not_kept(context, standby)
    if not why:
        context.not_paused.forget()
        return True
    context.not_paused.say(standby.container, why.rstrip("."))
    context.say(said_by.id, f"the standby {standby.container} is stopped instead of paused: {why}")
    return False


async def _why_not_kept(context: AppContext, standby: Deployment) -> str:
    """Start the standby, if it does not run, and pause it. Returns why that fails; empty if it does not."""
    try:
        await _start(context, standby)
        try:
            return await _why_not_paused(context, standby)
        except WatchLost as lost:
            log.info("the locks of a standby are looked at once more", container=standby.container, cause=lost.cause)
            return await _why_not_paused(context, standby)
    except StepFailed as error:
        return error.cause


async def _why_not_paused(context: AppContext, standby: Deployment) -> str:
    """Pause the standby, which runs. Returns why it cannot be paused; empty if it is, or has the traffic by now.

    A process that is paused during a transaction keeps its locks, and with them every other writer.
    """
    why = ""
    try:
        if not await LockWatch.needed(context, standby):
            await _pause(context, standby)
            return ""
        async with LockWatch(context, standby) as locks:
            for _ in range(TRIES):
                await locks.until_free()
                try:
                    if not await _pause(context, standby) or await locks.free_now():
                        return ""
                    why = f"it held a lock on the data at each of {TRIES} tries: {locks.last}"
                except EngineError as error:
                    why = error.cause  # the kernel cannot freeze each process at each moment
                except asyncio.CancelledError:
                    await in_spite_of_cancels(_let_run(context, standby))
                    raise
                await context.engine.wake(standby.container, standby.address)
                await asyncio.sleep(BETWEEN_TRIES_S)
    except WatchLost:
        if ended := await _why_ended(context, standby):  # it takes the sidecar with it
            return ended
        await _let_run(context, standby)
        raise
    except StepFailed as error:
        why = error.cause
    except EngineError as error:
        why = f"its locks cannot be seen: {error.cause}"
    return await _why_ended(context, standby) or why


async def _start(context: AppContext, standby: Deployment) -> None:
    """Start the standby if it does not run, and wait until it answers, which it must do before it gets requests.

    Raises StepFailed when it does not become ready, EngineError or ProxyError.
    """
    async with context.standby_turn:
        status = await context.engine.status(standby.container)
        if status is None or status.running or not _is_standby(context, standby):
            return
        try:
            await context.engine.wake(standby.container, standby.address)
        except EngineError as error:
            raise StepFailed(f"It cannot be started: {error.cause}", error.remedy) from error
    await readiness.until_awake(context, standby, context.config.health.timeout)


async def _why_ended(context: AppContext, standby: Deployment) -> str:
    """Empty if it runs: what cannot be seen in a container that has ended says nothing to a user."""
    status = await context.engine.status(standby.container)
    if status is None or status.running or status.restarting:
        return ""
    return f"it {status.why_stopped} before it could be paused"


async def _let_run(context: AppContext, standby: Deployment) -> None:
    """Nobody looks any more whether it was paused with a lock, which would stop every other writer."""
    try:
        await context.engine.wake(standby.container, standby.address)
    except EngineError as error:
        log.warning("standby not woken, it may hold a lock", container=standby.container, cause=error.cause)


async def _pause(context: AppContext, standby: Deployment) -> bool:
    """Pause the standby, unless it got the traffic meanwhile."""
    async with context.standby_turn:
        if not _is_standby(context, standby):
            return False
        await context.engine.pause(standby.container)
        return True


def _is_standby(context: AppContext, standby: Deployment) -> bool:
    known = context.standby
    return known is not None and known.id == standby.id and not context.proxy.route(context.name).failed_over
