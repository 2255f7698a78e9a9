"""The data volumes follow a changed user (`run.user`, or that of the image), files and all."""

from __future__ import annotations

from orchestrator.app_data import backup_sidecar
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.engine.base import Role
from orchestrator.engine.user_change import UserChange
from orchestrator.errors import UserUnknown


async def will_follow(context: AppContext, deployment: Deployment) -> bool:
    """Whether the candidate has another user than the release before. Raises EngineError."""
    return await _change(context, deployment) is not None


async def follow(context: AppContext, deployment: Deployment) -> None:
    """Give what the user of the release before owns to that of the candidate, if it is another one.

    Both can read and write all of it then: the release before serves meanwhile, and after a rollback. Raises
    StepFailed or EngineError.
    """
    change = await _change(context, deployment)
    if change is None:
        return
    before, after = (f"{user}:{group}" for user, group in (change.before, change.after))
    changed = await _run(context, deployment, "give", change)
    context.say(deployment.id, f"the user changed from {before} to {after}: {changed} files and folders follow")


async def take_back(context: AppContext, deployment: Deployment) -> str:
    """Undo `follow`, also when it was interrupted. Returns a sentence that says so; empty if there was nothing to do.

    Raises StepFailed or EngineError.
    """
    try:
        change = await _change(context, deployment)
    except UserUnknown:
        return ""  # nothing was given to a user that the image does not have
    if change is None:
        return ""
    changed = await _run(context, deployment, "take-back", change)
    return f"{changed} files and folders of the data are again those of user {change.before[0]}" if changed else ""


async def _change(context: AppContext, deployment: Deployment) -> UserChange | None:
    if deployment.kind is not Kind.DEPLOY or not deployment.previous or not _volumes(context, deployment):
        return None
    before = context.journal.deployment(deployment.previous)
    spec = container_spec(context, deployment, Role.APP, deployment.container, None)
    return await context.engine.user_change(before.container, spec)


async def _run(context: AppContext, deployment: Deployment, what: str, change: UserChange) -> int:
    before, after = (f"{user}:{group}" for user, group in (change.before, change.after))
    options = (f"--owner={what}", f"--before={before}", f"--after={after}")
    async with context.data_turn:
        volumes = _volumes(context, deployment)
        found = await backup_sidecar.run(context, "own", "", *options, volumes=volumes)
    return int(found["changed"])


def _volumes(context: AppContext, deployment: Deployment) -> tuple[str, ...]:
    """The app's own volumes. Folders of the host belong to whoever made them."""
    if deployment.release is None or not deployment.release.image:
        return ()
    spec = container_spec(context, deployment, Role.APP, deployment.container, None)
    return tuple(source for source, _ in spec.owned)
