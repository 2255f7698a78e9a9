"""Retention: which images, containers, output and build cache of an app are kept, and which are removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, Role
from orchestrator.errors import EngineError

LOOK_BACK = 1000
"""The number of newest deployments whose images can be kept."""


def images_to_keep(
    history: Iterable[Deployment], in_slots: Iterable[Deployment], for_rollback: Iterable[Deployment], newest: int
) -> set[str]:
    """The digests of the images to keep: those of the `newest` first deployments of `history` that have an image,
    of the active release and the standby, and of the releases whose `migrate.down` a rollback to the standby needs.

    `history` has the newest deployment first.
    """
    built = [one for one in history if one.release and one.release.image]
    return {one.release.image for one in (*in_slots, *for_rollback, *built[:newest]) if one.release}


async def apply(context: AppContext) -> None:
    """Remove images, build cache and output that are not kept. The history in the journal is kept.

    Raises EngineError or JournalError.
    """
    journal, limits = context.journal, context.limits
    in_slots = [one for one in (context.active, context.standby) if one]
    history = await journal.beside(journal.deployments, context.name, limit=LOOK_BACK)
    keep = images_to_keep(history, in_slots, _for_rollback(context), limits.keep_images)
    await context.engine.remove_images(context.image_name, keep=keep)
    await context.engine.prune_build_cache(limits.build_cache_bytes)
    await journal.beside(journal.forget_output, context.name, keep=limits.keep_output)


async def remove_stray_containers(context: AppContext, draining: Collection[str] = ()) -> list[str]:
    """Remove every container of the app that is neither active nor standby, nor of a deployment in `draining`. Returns
    their names.

    Raises EngineError, when all that can be removed are, or JournalError.
    """
    slots = context.journal.slots(context.name)
    removed = await context.engine.remove_stray_sidecars(context.name)
    failed: EngineError | None = None
    for container in await context.engine.containers():
        labels = container.labels
        mine = labels.get(LABEL_APP) == context.name and labels.get(LABEL_ROLE) == Role.APP
        if mine and labels.get(LABEL_DEPLOYMENT) not in (slots.active, slots.standby, *draining):
            try:
                await context.engine.remove(container.name, context.config.drain.stop_timeout)
                removed.append(container.name)
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
    return [maker for revision in down if (maker := migrations.brought(context, revision))]
