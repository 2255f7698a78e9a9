"""A request for a deployment, rollback or restore, before the journal has it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.errors import JournalError, Refused
from orchestrator.journal.store import Journal

log = structlog.get_logger()

LOOK_BACK = 1000
"""Among so many newest deployments of an app one is looked for that is newer than one that was queued earlier."""


def new_request(app: str, kind: Kind, by: str) -> Deployment:
    """A queued deployment, rollback or restore, with a new id."""
    return Deployment(
        id=secrets.token_hex(4), app=app, kind=kind, state=State.QUEUED, requested_by=by, requested_at=now()
    )


def refuse_another_standby(context: AppContext, standby: Deployment, shown: str) -> None:
    """Raises Refused if a person was shown another standby: by now, that one would be the wrong goal of a rollback."""
    if shown and standby.container != shown:
        raise Refused(
            f"The standby of {context.name} is another one by now: {standby.version}, in {standby.container}.",
            "Look at it, then ask again: changeover status",
        )


def refuse_where_rollback_is_off(context: AppContext) -> None:
    """Raises Refused if the configuration allows no rollbacks of the app."""
    if not context.config.update.rollback.enabled:
        cause = f"Rollback of {context.name} is off (update.rollback.enabled)."
        raise Refused(cause, "Set it to true to allow rollbacks.")


def refuse_outrun(app: str, still: Callable[[], bool]) -> None:
    """Raises Refused if a machine's request is not wanted any more, because somebody else's has come before it."""
    if not still():
        raise Refused(f"{app} was asked for something else meanwhile.", "The next check looks again.")


def is_outdated(journal: Journal, deployment: Deployment) -> bool:
    """Whether a deployment, rollback or restore that was requested after this one has begun or ended already."""
    newest = journal.deployments(deployment.app, limit=LOOK_BACK)
    return any(one.number > deployment.number and one.state is not State.QUEUED for one in newest)


def has_begun(journal: Journal, deployment: Deployment) -> bool:
    """Whether what was queued has begun, or has ended. Raises JournalError."""
    return journal.deployment(deployment.id).state is not State.QUEUED


def would_begin_again(journal: Journal, deployment: Deployment) -> bool:
    """Whether it has begun, as far as the journal says so, which is logged: one that begins again undoes what is live.

    If the journal is away, it may begin: that cannot be recorded, and it fails by that.
    """
    try:
        again = has_begun(journal, deployment)
    except JournalError:
        return False
    if again:
        log.warning(
            "a deployment was queued again, and does not begin again", app=deployment.app, deployment=deployment.id
        )
    return again
