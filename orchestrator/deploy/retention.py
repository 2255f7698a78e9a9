"""Retention: which images, containers, output and build cache of an app are kept, and which are removed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import structlog

from orchestrator.app_data import backups, migration_runs, migrations
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release_history import Attempt, newest_images
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, Role
from orchestrator.errors import EngineError
from orchestrator.host.uninterrupted import to_its_end

log = structlog.get_logger()


async def apply(context: AppContext, also: Collection[str] = ()) -> None:
    """Remove images, build cache, output, and logs of removed containers that are not kept. The history is kept.

    Kept are the images of the `disk.keep_images` last releases that were live, of the active release and the standby,
    of the releases whose `migrate.down` a rollback to the standby needs, and of every backup, so that a restore can
    bring its release back; and the images `also`, by digest. Raises EngineError, JournalError, or StepFailed when the
    backups cannot be listed.
    """
    journal, limits = context.journal, context.limits
    with_output = await journal.beside(journal.forget_output, context.name, keep=limits.keep_output)
    try:
        await to_its_end(asyncio.to_thread(context.kept_logs.forget, context.name, with_output))
    except OSError as error:
        log.warning("old logs of removed containers are not removed", app=context.name, cause=error.strerror)
    await context.engine.prune_build_cache(limits.build_cache_bytes)
    attempts = await journal.beside(journal.attempts, context.name)
    needed = [one for one in (context.active, context.standby, *_for_rollback(context)) if one]
    keep = {one.release.image for one in needed if one.release}
    keep |= {*newest_images(attempts, limits.keep_images), *also}
    # Which images the backups keep is asked of a sidecar, and matters only if there are others than these.
    if await context.engine.tagged_images(context.image_name) - keep:
        keep |= await _images_of_backups(context, attempts)
        await context.engine.remove_images(context.image_name, keep=keep)


async def _images_of_backups(context: AppContext, attempts: Sequence[Attempt]) -> set[str]:
    """Also of an app that has no data by its configuration of now: its backups are those of before."""
    if not context.has_data and not any(one.backup or one.volume for one in attempts):
        return set()
    return {one.summary.image for one in await backups.entries(context) if one.summary and one.summary.image}


async def remove_stray_containers(
    context: AppContext, draining: Collection[str] = (), *, only_stop: bool = False
) -> list[str]:
    """Remove every container of the app that is neither active nor standby, nor of a deployment in `draining`. Returns
    their names.

    `only_stop`: they are stopped and kept, for a person who wants to examine a failed candidate. Raises EngineError,
    when all that can be removed are, or JournalError.
    """
    slots = context.journal.slots(context.name)
    removed = await context.engine.remove_stray_sidecars(context.name)
    failed: EngineError | None = None
    for container in await context.engine.containers(context.name):
        labels = container.labels
        mine = labels.get(LABEL_APP) == context.name and labels.get(LABEL_ROLE) == Role.APP
        if mine and labels.get(LABEL_DEPLOYMENT) not in (slots.active, slots.standby, *draining):
            try:
                if not only_stop:
                    await context.engine.remove(container.name, context.config.drain.stop_timeout)
                    removed.append(container.name)
                elif container.running:
                    await context.engine.stop(container.name, context.config.drain.stop_timeout)
            except EngineError as error:
                failed = error
    if failed:
        raise failed
    return removed


def _for_rollback(context: AppContext) -> list[Deployment]:
    """The deployments whose image runs `migrate.down` in a rollback to the standby."""
    standby = context.standby
    if standby is None:
        return []
    down = migrations.needed_by(context, standby).down
    return [maker for revision in down if (maker := migration_runs.brought(context, revision))]
