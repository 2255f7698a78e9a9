"""Whether the restore command of an app put the dump of a backup in place, found by dumping the data again.

Many programs end with exit code 0 although they did nothing: a wrong database, an empty file, a failure in a pipe.
"""

from __future__ import annotations

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.difference import Difference
from orchestrator.backup_sidecar.manifest import DUMP
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import StepFailed, UnknownBackup

MOST_NAMED = 5


async def refuse_unloaded(
    context: AppContext, backup: str, replaced: str, release: Deployment, *, by: Deployment
) -> None:
    """Raise StepFailed if the dump is as in `replaced`, the backup of the replaced data, and not as in `backup`.

    A dump that differs from both may have another order, or the time at which it was made: that is said. The caller
    must have locked `data_turn`. Raises EngineError.
    """
    commands = context.config.backup
    if commands is None or replaced in ("", backup):
        return
    try:
        lacking = of_dump(await backups.compare(context, backup, release))
        if not lacking:
            return
        changed = of_dump(await backups.compare(context, replaced, release))
    except (StepFailed, UnknownBackup) as error:
        context.say(by.id, f"it is not known whether the restore command put the dump in place: {error.cause}")
        return
    names = ", ".join(lacking[:MOST_NAMED])
    if not changed:
        raise StepFailed(
            f"The restore command '{commands.restore}' changed nothing: {names} is as it was before, and not as in "
            f"backup {backup}, although the command ended without an error.",
            f"Correct backup.restore of {context.name}, such as the database that it names. Its output: changeover "
            f"show {by.id}",
        )
    context.say(
        by.id, f"a dump of the restored data differs from backup {backup}, in its content or its order: {names}"
    )


def of_dump(found: Difference) -> list[str]:
    return [name for name in found.content if name.startswith(f"{DUMP}/")]
