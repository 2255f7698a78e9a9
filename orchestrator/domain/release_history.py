"""What became of each release of an app, and what follows from it: is it offered, and is it installed by itself?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from orchestrator.domain.deployment import Deployment, Failure, Interrupter, State
from orchestrator.domain.release import Release

MOST_KILLED = 3
"""How often a revision is deployed by `auto_update` if the orchestrator is killed meanwhile each time."""
MOST_DOUBLINGS = 8


@dataclass(frozen=True)
class Attempt:
    """One deployment of a release, as far as it says something of the release. `number` is its place in the order."""

    number: int
    deployment: str
    ref: str
    release: Release | None
    state: State
    was_live: bool
    failure: Failure | None = None
    interrupted_by: Interrupter | None = None
    backup: str = ""
    volume: str = ""
    """Of its data; empty if it was not started, or had none in a volume."""

    def is_of(self, revision: str) -> bool:
        """Also one that failed before its source was fetched, if exactly this source revision was requested."""
        return revision == (self.release.source_revision if self.release else self.ref)

    @property
    def failed_by_itself(self) -> bool:
        """It failed because of the release itself."""
        by_another_cause = self.interrupted_by or (self.failure and self.failure.outside)
        return self.state is State.FAILED and not by_another_cause


def attempt_by(deployment: Deployment) -> Attempt:
    """What a deployment says of its release."""
    return Attempt(
        deployment.number,
        deployment.id,
        deployment.ref,
        deployment.release,
        deployment.state,
        deployment.live_at is not None,
        deployment.failure,
        deployment.interrupted_by,
        deployment.backup,
        deployment.volume,
    )


class Standing(Enum):
    """What is known of a release."""

    UNTRIED = auto()
    WAS_LIVE = auto()
    """It is or was live: it is no update, and one that was rolled back is not offered again."""
    FAILED = auto()
    """Its newest decided attempt failed because of the release itself."""
    CANCELLED = auto()
    """A person cancelled it: it is offered, and a person starts it."""
    UNLUCKY = auto()
    """It failed because of something else: what that was may be over."""


def standing(attempts: Iterable[Attempt], revision: str) -> Standing:
    """What is known of a source revision. The order of the attempts does not matter, nor does any clock."""
    mine = sorted((one for one in attempts if one.is_of(revision)), key=lambda one: one.number)
    if any(one.was_live for one in mine):
        return Standing.WAS_LIVE
    for one in reversed(mine):
        if one.failed_by_itself:
            return Standing.FAILED
        if one.state is State.CANCELLED and one.interrupted_by in (Interrupter.PERSON, None):
            return Standing.CANCELLED
    return Standing.UNLUCKY if unlucky(mine, revision) else Standing.UNTRIED


def unlucky(attempts: Iterable[Attempt], revision: str) -> int:
    """How often it failed because of something other than the release."""
    mine = [one for one in attempts if one.is_of(revision) and not one.interrupted_by]
    return sum(1 for one in mine if one.state is State.FAILED and one.failure and one.failure.outside)


def killed(attempts: Iterable[Attempt], revision: str) -> int:
    """How often the orchestrator ended without an orderly stop while it was deployed."""
    return sum(1 for one in attempts if one.is_of(revision) and one.interrupted_by is Interrupter.KILL)


def may_be_offered(attempts: Iterable[Attempt], revision: str) -> bool:
    """Whether to show it as an update: not one that is or was live, and not one that failed by itself."""
    return standing(attempts, revision) not in (Standing.WAS_LIVE, Standing.FAILED)


def may_install_itself(attempts: Iterable[Attempt], revision: str) -> bool:
    """Whether `auto_update` may deploy it: it is offered, nobody cancelled it, and it does not end the orchestrator."""
    attempts = list(attempts)
    known = standing(attempts, revision)
    return known in (Standing.UNTRIED, Standing.UNLUCKY) and killed(attempts, revision) < MOST_KILLED


def checks_between_tries(attempts: Iterable[Attempt], revision: str) -> int:
    """How many checks pass before `auto_update` tries again what failed for another cause: twice as many each time."""
    tries = unlucky(attempts, revision)
    return 0 if not tries else 2 ** min(tries - 1, MOST_DOUBLINGS)


def newest_images(attempts: Iterable[Attempt], newest: int) -> list[str]:
    """The digests of the images of the `newest` last releases that were live, each once, the newest first."""
    were_live = sorted((one for one in attempts if one.was_live), key=lambda one: one.number, reverse=True)
    images = dict.fromkeys(one.release.image for one in were_live if one.release and one.release.image)
    return list(images)[:newest]


def live_since(attempts: Iterable[Attempt], after: int) -> list[str]:
    """The versions that went live by the deployments after the one of this number, the oldest first, each once."""
    later = sorted((one for one in attempts if one.was_live and one.number > after), key=lambda one: one.number)
    return list(dict.fromkeys(one.release.version for one in later if one.release))


def spare_backups(attempts: Iterable[Attempt], migrated: Collection[str], changed: Collection[int] = ()) -> list[str]:
    """Deployments that did not go live and whose backups need not be kept, and the backups that they name. One that was
    ended while it made a backup names none, and may have made it nevertheless.

    `migrated` are the deployments that ran migrations: what these did is not known without a comparison of all data, if
    the app names nothing. Of those in a row, the first one's backup has the data as it was before all of them, and is
    not spare. A row ends where a release went live, and where a rollback or restore replaced or migrated the data:
    `changed` has the numbers of these.
    """
    ended = (State.FAILED, State.CANCELLED)
    spare: list[str] = []
    row_began: int | None = None
    for one in sorted(attempts, key=lambda one: one.number):
        if one.was_live or any((row_began or one.number) < number < one.number for number in changed):
            row_began = None
        if one.was_live or one.state not in ended:
            continue
        if row_began or one.deployment not in migrated:
            spare += [known for known in (one.backup, one.deployment) if known]
        else:
            row_began = one.number if one.backup else None
    return spare
