"""Why the newest release of an app's source is not offered as an update, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from border.revision import option
from orchestrator.domain.deployment import State
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import Attempt, Standing, standing
from orchestrator.domain.update import Update
from orchestrator.domain.version_record import VersionRecord


@dataclass(frozen=True)
class HeldBack:
    """A release that is not offered. `says` is the cause, `remedy` how to deploy it nevertheless."""

    release: Release
    says: str
    remedy: str


def why_held_back(app: str, release: Release, attempts: Iterable[Attempt]) -> HeldBack | None:
    """Why a release, which is not live, is not offered; None if it is."""
    attempts = tuple(attempts)
    mine = [one for one in attempts if one.is_of(release.source_revision)]
    match standing(mine, release.source_revision):
        case Standing.WAS_LIVE:
            says = f"{release.version} was live before; {_what_came_after(mine)}."
        case Standing.FAILED:
            newest = max((one for one in mine if one.failed_by_itself), key=lambda one: one.number, default=None)
            why = f" at {newest.failure.step}: {newest.failure.cause}" if newest and newest.failure else "."
            says = f"{release.version} failed{why}"
        case _:
            return None
    return HeldBack(release, says, _remedy(app, release))


def _what_came_after(mine: Iterable[Attempt]) -> str:
    """Why a release that was live is not any more, by the last time it was."""
    last = max((one for one in mine if one.was_live), key=lambda one: one.number)
    if last.state is State.ROLLED_BACK:
        return "it was rolled back"
    return "another release was made live after it"


@dataclass(frozen=True)
class Older:
    """What a check found that is not newer than what was live then, the source revision `than`. It says nothing of
    another release that became live since."""

    held_back: HeldBack
    than: str

    def beside(self, live: str) -> HeldBack | None:
        """What is true of it while the source revision `live` is live."""
        return self.held_back if live == self.than else None

    def is_outdated(self, live: str) -> bool:
        """Whether the source must be asked how it compares with `live`."""
        return live not in (self.than, self.held_back.release.source_revision)


def older(app: str, release: Release, live: Release) -> Older:
    """The source's newest release comes before the one that is live, or is as high, such as 1.0 and 1.0.0."""
    says = f"{release.version}, the newest release of the source, is not newer than {live.version}, which is live."
    return Older(HeldBack(release, says, _remedy(app, release)), live.source_revision)


def is_skipped(app: str, release: Release, record: VersionRecord) -> HeldBack:
    """A person decided that this version is never offered."""
    when = f" since {record.skipped_at:%Y-%m-%d %H:%M} UTC" if record.skipped_at else ""
    says = f"{release.version} is skipped{when}, by {record.skipped_by}."
    offer = f"Offer it again: changeover skip {app} {record.version} --undo"
    return HeldBack(release, says, f"{offer}. {_remedy(app, release)}")


def too_young(app: str, update: Update, offered_at: datetime) -> HeldBack:
    """It is not as old as `update.minimum_age` wants."""
    date = update.released_at
    since = f"was released at {date:%Y-%m-%d %H:%M} UTC" if date else "has no known release date"
    says = (
        f"{update.release.version} {since}, and is too young (update.minimum_age): it is offered from "
        f"{offered_at:%Y-%m-%d %H:%M} UTC on."
    )
    return HeldBack(update.release, says, _remedy(app, update.release))


def _remedy(app: str, release: Release) -> str:
    return f"Deploy it nevertheless: changeover deploy {app} {option(release.source_revision)} --wait"
