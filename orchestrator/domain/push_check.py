"""A check that a push asks for: what becomes of it, and whether it deploys what the source has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.deployment import Interrupter, State
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import MOST_KILLED, Attempt, killed, may_be_offered


class Forge(StrEnum):
    """Who announces pushes, by the last part of the hook's address."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"
    REGISTRY = "registry"


class CheckState(StrEnum):
    """What became of a check."""

    WAITING = "waiting"
    """The source is asked soon, or is being asked."""
    NOTHING_NEW = "nothing_new"
    DEPLOYMENT = "deployment"
    FAILED = "failed"
    """The source did not answer, however often it was asked."""


@dataclass(frozen=True)
class PushCheck:
    """One check. `revision` and `version` are what the source had; `deployment` is the one that installs it. `says` is
    why nothing is deployed, in words."""

    id: str
    app: str
    forge: Forge
    requested_at: datetime
    state: CheckState = CheckState.WAITING
    ended_at: datetime | None = None
    revision: str = ""
    version: str = ""
    deployment: str = ""
    says: str = ""


@dataclass(frozen=True)
class Delivery:
    """One delivery of a forge. `key` is the forge's own id of it, which it has again when it is sent again. `origin`:
    the address that it came from; `request`: its method and path; `note`: why it was not read. They are for the
    audit log."""

    app: str
    forge: Forge
    key: str
    origin: str = ""
    request: str = ""
    note: str = ""


@dataclass(frozen=True)
class Head:
    """What an app's source has now. `is_older`: it is known to be older than what is live."""

    revision: str
    version: str
    is_older: bool = False

    @classmethod
    def of(cls, release: Release, *, is_older: bool = False) -> Head:
        return cls(release.source_revision, release.version, is_older)


def under_way(attempts: Sequence[Attempt]) -> Attempt | None:
    """The newest deployment that is queued or runs; `attempts` are the newest first."""
    return next((one for one in attempts if one.state in (State.QUEUED, State.RUNNING)), None)


def is_interrupted(attempts: Sequence[Attempt], deployment: str) -> bool:
    """Whether an end of the orchestrator interrupted this deployment, and nothing was deployed since.

    `attempts` are the newest first. One that has ended the orchestrator again and again is not begun again.
    """
    newest = next((one for one in attempts if one.state is not State.SUPERSEDED), None)
    if newest is None or newest.deployment != deployment:
        return False
    if newest.interrupted_by not in (Interrupter.STOP, Interrupter.KILL):
        return newest.state is State.RUNNING
    revision = newest.release.source_revision if newest.release else newest.ref
    return killed(attempts, revision) < MOST_KILLED


def is_to_deploy(head: Head, live: str, attempts: Sequence[Attempt], seen_before: str) -> bool:
    """Whether a push deploys what the source has now. `live` is the revision that is live, `seen_before` the one that
    the check of the push before found; `attempts` are the newest first.

    What may be offered is deployed. What was live before, failed, or is older is deployed only if the source itself
    went back to it: the newest deployment was of another revision, and the push before announced another one. So a
    delivery that is sent again deploys nothing that a person has rolled back, and nothing that has failed.
    """
    newest = next((one for one in attempts if one.state is not State.SUPERSEDED), None)
    under_way_now = under_way(attempts)
    if under_way_now.is_of(head.revision) if under_way_now else head.revision == live:
        return False
    if not head.is_older and may_be_offered(attempts, head.revision):
        return True
    return head.revision != seen_before and (newest is None or not newest.is_of(head.revision))
