"""Refuses a release that would start without data which it has, or the one before it: what it writes instead is lost
with its container."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping

from border.urls import HIDDEN
from orchestrator.apps.context import AppContext
from orchestrator.config.run_schema import mounts_of
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import StepFailed


async def refuse_to_leave_data(context: AppContext, active: Deployment, *, instead: str = "") -> None:
    """Compare what the active release can write with what the configuration gives the next one.

    An app that has got the section `backup` instead of `run.data` has its data elsewhere by now. `instead`: what to do
    without the data, as a sentence; a deployment by force when not said. Raises StepFailed or EngineError.
    """
    run = context.config.run
    elsewhere = context.config.backup is not None and not run.data
    if active.volume and not context.has_data:
        raise _left(context, active.volume, "run.data is not set any more", "run.data", instead=instead)
    status = await context.engine.status(active.container)
    for source, path in status.writable if status else ():
        if source == active.volume and elsewhere:
            continue
        if moved := _moved(context, source, path):
            key = "run.data" if source == active.volume else "run.volumes"
            raise _left(context, source, f"{key} {moved}", key, path, instead=instead)


async def refuse_to_start_without_data(context: AppContext, made: Deployment) -> None:
    """A container that is gone is made again from the configuration as it is now. Raises StepFailed where that gives
    it no data any more, or at another path than its release reads: a deployment of it would be refused, too."""
    if made.volume and not context.has_data:
        raise _not_made_again(context, made, made.volume, "run.data is not set any more", "run.data")
    values = await context.journal.beside(context.journal.deployed_values, made.id)
    for key, source, path in _writable(context, values or {}):
        if moved := _moved(context, source, path):
            raise _not_made_again(context, made, source, f"{key} {moved}", key)


def _writable(context: AppContext, values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The key, source and path of each mount that the release which was deployed with these values can write in; of
    those in whose names the journal has hidden what looked like a secret, it is not known."""
    shown = {key: "" if HIDDEN in values.get(key, "") else values.get(key, "") for key in ("run.data", "run.volumes")}
    if shown["run.data"]:
        yield "run.data", context.volume, posixpath.normpath(shown["run.data"])
    for one in mounts_of(json.loads(shown["run.volumes"] or "[]")):
        if not one.read_only:
            source = context.volume_called(one.source) if one.is_volume else one.source
            yield "run.volumes", source, posixpath.normpath(one.target)


def _not_made_again(context: AppContext, made: Deployment, source: str, why: str, key: str) -> StepFailed:
    what = "folder" if source.startswith("/") else "volume"
    return StepFailed(
        f"The container of {made.version} does not exist any more, and would be made again without its data in the "
        f"{what} {source}: {why}.",
        f"Set {key} of {context.name} as it was: then the app is brought back by itself.",
    )


def _moved(context: AppContext, source: str, path: str) -> str:
    """What has become of a volume or folder of the host in the configuration, which had this path in the container.
    Empty if it is in its place, or is none of the app's own.

    A folder is known by its path in the container: another one in its place is what the configuration says.
    """
    run = context.config.run
    paths = {(context.volume, run.data)} if run.data else set()
    paths |= {(context.volume_called(one.source) if one.is_volume else one.source, one.target) for one in run.mounted}
    now = {(name, posixpath.normpath(f"/{target.strip('/')}")) for name, target in paths}
    is_folder = source.startswith("/")
    if not is_folder and not source.startswith(context.volume_called("")):
        return ""  # an anonymous volume of the image
    if (source, path) in now or (is_folder and path in {target for _, target in now}):
        return ""
    others = [target for name, target in now if name == source]
    return f"mounts it at {others[0]} now, and no longer at {path}" if others else "does not name it any more"


def _left(context: AppContext, source: str, why: str, key: str, path: str = "", *, instead: str = "") -> StepFailed:
    app = context.name
    at = f", at {path}" if path else ""
    what = "folder" if source.startswith("/") else "volume"
    where = f"the {what} {source}"
    otherwise = instead or (
        f"If the new release does not need the data{at}, deploy it: changeover deploy {app} --force. The {what} and "
        "the backups stay."
    )
    return StepFailed(
        f"{app} has data in {where}{at}, and {why}: the new release would start without its data, and lose what it "
        "writes with its container.",
        f"Set {key} of {app} as it was. {otherwise}",
    )
