"""What an update brings: its changes, its dependencies, how much there is to fetch, how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from orchestrator.domain.release import Change

MOST_CHANGES = 200
MOST_DEPENDENCIES = 100
MOST_NOTES = 5
MOST_NAMED = 10
"""Dependencies that the changes of a deployment name."""


@dataclass(frozen=True)
class DependencyChange:
    """A package that a release needs in another version than the one before. `before` is empty for one that was added,
    `after` for one that was removed; several versions of one package are separated by commas."""

    ecosystem: str
    """`python` or `npm`."""
    name: str
    before: str
    after: str

    @property
    def in_words(self) -> str:
        return f"{self.name} {self.after}" if self.after else f"without {self.name}"


@dataclass(frozen=True)
class Changelog:
    """The changes after one release up to another, the newest first.

    `changes_left_out` and `dependencies_left_out`: how many more there are than are listed. `dependencies` is None
    where the source does not know them. `download_bytes`: how much there is to fetch; None if that is not known.
    `notes`: sentences about what the lists do not say, such as that the history was rewritten.
    """

    changes: tuple[Change, ...] = ()
    changes_left_out: int = 0
    dependencies: tuple[DependencyChange, ...] | None = None
    dependencies_left_out: int = 0
    download_bytes: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def recorded(self) -> tuple[Change, ...]:
        """The changes that are recorded of a deployment: the last one, which is of no commit, names dependencies."""
        if not self.dependencies:
            return self.changes
        named = [one.in_words for one in self.dependencies[:MOST_NAMED]]
        more = len(self.dependencies) - len(named) + self.dependencies_left_out
        names = ", ".join([*named, *([f"{more} more"] if more else [])])
        return (*self.changes, Change("", "", "", f"Updated dependencies ({names})"))


class _TimedStep(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def seconds(self) -> float | None: ...


def usual_seconds(deployments: Iterable[Sequence[_TimedStep]]) -> float | None:
    """How long a deployment takes by its steps in earlier ones: the sum of each step's median. None without any, or if
    that of a step is not known.

    A step that a deployment did not have took no time in it. One whose time is not known, because the clock was set
    back, is not counted.
    """
    steps = [{step.name: step.seconds for step in one} for one in deployments]
    names = {name for one in steps for name in one}
    times = [[seconds for one in steps if (seconds := one.get(name, 0.0)) is not None] for name in names]
    return sum(map(median, times)) if times and all(times) else None
