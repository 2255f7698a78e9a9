"""What apps have left that are not configured any more: containers, volumes, images, backups, a source's mirror."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Failure, Slots, State, StepName, StepState
from orchestrator.domain.events import Ended, Failed, Occurrence, Step
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, applied
from orchestrator.engine.base import LABEL_APP, Engine
from orchestrator.engine.own_images import is_own
from orchestrator.errors import EngineError
from orchestrator.host.uninterrupted import to_its_end

DATA_VOLUME = "-data"
INTERRUPTED = "interrupted"
GONE = "The app was taken out of the configuration, and what it had left was removed."


@dataclass(frozen=True)
class Leftover:
    """What one app has left. Containers and volumes by name, images by tag. `backups` are not looked for by `find`."""

    app: str
    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    backups: tuple[str, ...] = field(default=())

    @property
    def is_nothing(self) -> bool:
        return not (self.containers or self.volumes or self.images or self.backups)


async def find(engine: Engine, configured: Collection[AppContext], with_history: Collection[str]) -> list[Leftover]:
    """What everything that carries the stack's label or name leaves, whoever made it, by app. Raises EngineError.

    `with_history` are the apps that were ever deployed. Containers with the label of the stack and without that of an
    app belong to the app "".
    """
    found: dict[str, Leftover] = {}
    names = {context.name for context in configured}
    in_use = {volume for context in configured for volume in context.volumes}

    def add(app: str, **one: str) -> None:
        if app in names:
            return
        known = found.get(app, Leftover(app))
        (kind, name) = next(iter(one.items()))
        found[app] = replace(known, **{kind: (*getattr(known, kind), name)})  # type: ignore[arg-type]

    # A sidecar ends by itself, as one that lists the backups of an app that is not configured any more.
    for container in (one for one in await engine.containers() if one.name not in engine.sidecars_at_work()):
        app = container.labels.get(LABEL_APP, "")
        # Those of an app are removed by us, the others by a person.
        add(app, containers=container.name if app else container.called)
    prefix = f"{engine.stack}-"
    for volume in await engine.volumes():
        is_of_an_app = volume.startswith(prefix) and not backups.is_dump_volume(volume)
        app = _owner(volume.removeprefix(prefix), {*names, *with_history}) if is_of_an_app else ""
        if app and volume not in in_use:
            add(app, volumes=volume)
    for tag in sorted((await engine.disk_usage()).by_image):
        name, _, _version = tag.partition(":")
        stack, _, app = name.rpartition("/")
        # A person may give images such a tag, too, as for a base image: the app of one of ours was deployed.
        is_of_an_app = app in with_history or app in found
        if stack == engine.stack and is_of_an_app and not is_own(tag):
            add(app, images=tag)
    return sorted(found.values(), key=lambda one: one.app)


def _owner(volume: str, known: Collection[str]) -> str:
    """The app that a volume with this name, below the stack's, belongs to; empty if that is not known.

    `shop-user-data` is of an app `shop-user` or the volume `user-data` of an app `shop`: the longest known name counts.
    """
    of_known = max((app for app in known if volume.startswith(f"{app}-")), key=len, default="")
    return of_known or (volume.removesuffix(DATA_VOLUME) if volume.endswith(DATA_VOLUME) else "")


async def of_app(context: AppContext, configured: Collection[AppContext], places: Collection[str] = ()) -> Leftover:
    """What this app has left, its backups in their default place and in `places` included.

    Raises EngineError or JournalError, or StepFailed when a place cannot be read.
    """
    with_history = await context.journal.beside(context.journal.apps_with_history)
    found = await find(context.engine, configured, with_history)
    left = next((one for one in found if one.app == context.name), Leftover(context.name))
    kept = [one.id for at in _contexts_of(context, places) for one in await backups.entries(at)]
    return replace(left, backups=tuple(kept))


def _contexts_of(context: AppContext, places: Collection[str]) -> list[AppContext]:
    """The context for each place of backups."""
    return [replace(context, backups=place) for place in dict.fromkeys((context.backups, *places))]


async def remove(
    context: AppContext, left: Leftover, mirror: Path, places: Collection[str] = (), *, keep_backups: bool
) -> None:
    """Remove what an app has left. Its history stays in the journal. Raises EngineError, StepFailed or JournalError.

    May be done again after an error: what is removed is not missed. The caller holds the app's turn.
    """
    # First of all: from now on nothing looks for the containers or the data, also if the app is configured again.
    await context.journal.beside(context.journal.save_switch, context.name, Slots())
    await _end_unfinished(context)
    if context.volume in left.volumes:
        await _forget_data(context)
    for container in left.containers:
        await context.engine.remove(container, context.config.drain.stop_timeout)
    for volume in left.volumes:
        await context.engine.remove_volume(volume)
    if not keep_backups:
        for at in _contexts_of(context, places):
            await backups.remove_all(at)
    if left.images:
        await context.engine.remove_images(context.image_name, keep=set())
    try:
        await to_its_end(asyncio.to_thread(context.kept_logs.forget, context.name))
    except OSError as error:
        raise EngineError(f"The logs of its removed containers cannot be removed: {error.strerror}.") from error
    if mirror.exists():
        try:
            await to_its_end(asyncio.to_thread(shutil.rmtree, mirror))
        except OSError as error:
            raise EngineError(f"The mirror of its repository cannot be removed: {error.strerror}.") from error


async def _end_unfinished(context: AppContext) -> None:
    """Nobody finishes or undoes what a stop of Changeover interrupted before the app was taken out of the
    configuration: what it worked on is removed. Raises JournalError."""
    for one in await context.journal.beside(context.journal.unfinished):
        if one.app == context.name:
            await _end(context, one)


async def _end(context: AppContext, one: Deployment) -> None:
    """Record the end of a deployment and of the step that was under way, and tell both in the same transaction."""
    step = next((step.name for step in one.steps if step.state is StepState.RUNNING), None)
    ended = replace(one, ended_at=now())
    last: Occurrence = Ended(one.state)
    if one.state is not State.LIVE:
        failure = Failure(step or StepName.PREPARE, GONE)
        ended, last = replace(ended, state=State.FAILED, failure=failure), Failed(failure.step, failure.cause)

    def record() -> None:
        if step:
            context.journal.step_ended(one.id, step, StepState.FAILED, INTERRUPTED)
        context.journal.save(ended)

    told: list[tuple[Occurrence, str]] = [(Step(step, StepState.FAILED, INTERRUPTED), one.id)] if step else []
    (happened, of), *also = [*told, (last, one.id)]
    await context.publish(happened, context.name, of, also=also, with_record=record)


async def _forget_data(context: AppContext) -> None:
    """Record that the data has no schema revision any more, and that nothing in it is unsettled: otherwise a later
    release would be taken to run on what is gone. Raises JournalError."""
    journal = context.journal
    runs = journal.migrations(context.name)
    for run in runs:
        if run.outcome is Outcome.RUNNING:
            await journal.beside(journal.migration_ended, run.id, Outcome.FAILED, run.revisions, "interrupted")
    if applied(runs):
        at = now()
        gone = MigrationRun(
            0, context.name, runs[-1].deployment, Direction.RESTORED, (), Outcome.DONE, at, at, "the data was removed"
        )
        await journal.beside(journal.add_migration, gone)
    await journal.beside(journal.settle, context.name)
