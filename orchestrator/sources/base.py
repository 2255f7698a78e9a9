"""The protocol of a source of updates.

To add a source, add a file beside this one with a class that has these methods, a case in `sources/factory.py`, and its
keys in `config/update_schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from orchestrator.domain.changelog import Changelog
from orchestrator.domain.release import Release

T = TypeVar("T")


@dataclass(frozen=True)
class SourceRelease:
    """A release that the source offers. `released_at` is the time of its commit or publication, in UTC; None where the
    source does not say it."""

    release: Release
    released_at: datetime | None


@dataclass(frozen=True)
class SourceVersion:
    """A version that the source has. `ref`: by what `newest` finds it. `is_followed`: whether it is one of those that
    the configuration follows; others can be deployed by hand."""

    version: str
    ref: str
    released_at: datetime | None
    is_followed: bool = True


MOST_VERSIONS = 100
"""So many are listed, those that come first."""


def followed_first(found: Iterable[T], is_followed: Callable[[T], bool]) -> list[tuple[T, bool]]:
    """Those that are followed, then the others, each in their order, at most MOST_VERSIONS; and whether each is
    followed. Of a package with many pre-releases, the version that a person looks for would come after all of them."""
    judged = [(one, is_followed(one)) for one in found]
    return sorted(judged, key=lambda one: not one[1])[:MOST_VERSIONS]


class Source(Protocol):
    """One app's source of updates. Every method raises StepFailed when the source does not answer or is not valid."""

    async def origin(self) -> str:
        """The address of the source, for people, without credentials."""

    async def newest(self, ref: str = "") -> SourceRelease:
        """Ask the source for the release that `ref` names: a branch, tag, version or commit. Empty: the newest one."""

    async def versions(self) -> tuple[SourceVersion, ...]:
        """Ask the source for its versions, at most MOST_VERSIONS: those that are followed, the newest first, then the
        others in the same way."""

    def forget(self) -> None:
        """The next question is asked as the first one was: without "only if it changed since"."""

    async def changelog(self, since: str, until: str) -> Changelog:
        """What differs between two source revisions, as far as the source knows it. `since` is empty if nothing is
        live."""

    async def is_older(self, revision: str, than: str) -> bool:
        """Whether `revision` is an ancestor of the source revision `than`, or the same; False where it is not known."""

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write exactly this source revision into `folder`, which is created again if it exists."""


class OneRelease:
    """The base of a source that is one release, which a person or a CI job names or brings: it has no other versions,
    and says of none what came before it."""

    async def versions(self) -> tuple[SourceVersion, ...]:
        return ()

    def forget(self) -> None:
        """Nothing of it is kept."""

    async def changelog(self, since: str, until: str) -> Changelog:
        return Changelog()

    async def is_older(self, revision: str, than: str) -> bool:
        return False
