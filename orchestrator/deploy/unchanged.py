"""Decisions of a deployment about a release that is live or the standby already, and is wanted again."""

from __future__ import annotations

from border.revision import option
from orchestrator.app_data import migrations
from orchestrator.apps import readiness
from orchestrator.apps.context import AppContext
from orchestrator.apps.made_from import is_made_from
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release import Release
from orchestrator.domain.schema_history import NOT_REPORTED, names, newer_than
from orchestrator.errors import StepFailed


async def is_live_already(context: AppContext, deployment: Deployment, wanted: Release) -> bool:
    """Whether the wanted release is live, made from the configuration as it is now, and answers.

    A deployment that is forced, or that may migrate what was left out before, is carried out. Raises EngineError or
    JournalError.
    """
    active = context.active
    if active is None or not _are_same(active.release, wanted) or deployment.forced or deployment.migrate:
        return False
    if not is_made_from(context, active):
        return False
    status = await context.engine.status(active.container)
    return status is not None and status.running and await readiness.answers_now(context, active)


async def standby_after(context: AppContext, live: Deployment) -> Deployment | None:
    """The deployment that is the standby when `live` has the traffic: the last one of another release.

    That is the release that had the traffic, or else the present standby, if the same release is deployed again: then
    it stays the goal of a rollback. Without another release, the container that had the traffic is kept. Raises
    EngineError or JournalError.
    """
    left = context.journal.deployment(live.previous) if live.previous else None
    kept = context.standby
    if left is None or kept is None or not _are_same(left.release, live.release):
        return left
    if _are_same(kept.release, live.release) or await context.engine.status(kept.container) is None:
        return left
    return kept


def known_run_of(context: AppContext, wanted: Release) -> int | None:
    """The `known_run` of the wanted release, if the data has become newer since and the release can run on it.

    It was rolled back to, and is deployed again: its own commands fail on migrations that it does not have. None: its
    status command says what it lacks. Raises JournalError.
    """
    runs = context.journal.migrations(context.name)
    for one in (context.active, context.standby):
        if one and _are_same(one.release, wanted) and newer_than(one.known_run, one.live_at, runs):
            return None if migrations.needed_by(context, one).down else one.known_run
    return None


def refuse_on_newer_schema(context: AppContext, deployment: Deployment, wanted: Release) -> None:
    """A release that was live before and cannot run on the data by now is not deployed on it.

    Not every tool fails on migrations that it does not have: `migrate` of Django does nothing then. A deployment that
    is forced is carried out. Raises StepFailed or JournalError.
    """
    if deployment.forced:
        return
    journal = context.journal
    live = [one for one in journal.attempts(context.name) if one.was_live and _are_same(one.release, wanted)]
    down = migrations.needed_by(context, journal.deployment(live[0].deployment)).down if live else ()
    # Without a status command, a release that has migrated nothing counts as well.
    breaking = [one for one in down if one.says != NOT_REPORTED]
    if not breaking:
        return
    name, ref = context.name, option(wanted.source_revision)
    raise StepFailed(
        f"{wanted.version} cannot run on the data: {names(breaking)} came after it, and the release before cannot run "
        "on that.",
        f"If {wanted.version} is the standby: changeover rollback {name}. Otherwise bring its data back, too: "
        f"changeover backup restore {name} BACKUP --release (changeover backup list {name}). If it can run on the data "
        f"as it is, deploy it nevertheless: changeover deploy {name} {ref} --force",
    )


def _are_same(one: Release | None, other: Release | None) -> bool:
    return one is not None and other is not None and one.source_revision == other.source_revision
