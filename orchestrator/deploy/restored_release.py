"""The release of a backup, as a candidate: a restore can bring it back together with the data."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import backups
from orchestrator.apps.container_spec import environment_of
from orchestrator.apps.context import AppContext
from orchestrator.deploy.data_left_behind import refuse_to_leave_data
from orchestrator.domain.colour import next_colour
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.release import Release
from orchestrator.errors import Refused, UnknownDeployment


async def candidate(context: AppContext, record: Deployment) -> Deployment:
    """The record of a restore that starts now, with the release of the backup `record.ref` and a container of its own.

    Its release has no image if that does not exist any more: it is built again. Raises UnknownBackup, StepFailed when
    the backup is damaged or the release would not have the data in its place, EnvFileUnreadable when no container can
    be made because of `run.env_file`, EngineError, and Refused when the backup does not say of which source revision
    it is.
    """
    environment_of(context)
    kept = await backups.find(context, record.ref)
    has_image = bool(kept.image) and await context.engine.has_image(kept.image)
    alone = (
        "To bring back the data alone, migrated to the schema of the live release: changeover backup restore "
        f"{context.name} {kept.id}"
    )
    if not has_image and not kept.revision:
        raise Refused(
            f"The image of {kept.version or 'the release'} of backup {kept.id} does not exist any more, and the backup "
            "does not say from which source revision it was built.",
            alone,
        )
    active = context.active
    if active is None:
        raise Refused(f"Restore failed: {context.name} has no live release.", "Deploy one first.")
    await refuse_to_leave_data(context, active, instead=alone)
    brought = replace(
        record,
        state=State.RUNNING,
        started_at=context.journal.timing.moment(record.id),
        release=Release(kept.version, kept.revision, kept.image if has_image else ""),
        colour=next_colour(active.colour),
        port=context.config.run.port,
        previous=active.id,
        known_run=await _known_run(context, kept.deployment),
    )
    return replace(brought, container=context.container_name(brought))


async def _known_run(context: AppContext, deployment: str) -> int | None:
    """Which schema revisions the release of a backup knows: it may have been rolled back to, on a newer schema.

    None: not known, as for a backup that an app of another name made: its migration runs are not those of this one.
    """
    journal = context.journal
    try:
        made = journal.deployment(deployment)
        return (await journal.beside(journal.maker_of, made.container)).known_run if made.app == context.name else None
    except UnknownDeployment:
        return None
