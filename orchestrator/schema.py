"""What an app's data has been through, and what a release needs before it can run on it. Pure functions.

An app reports its revisions as lines of its migrate and status commands: `changeover: ` and a JSON object with
`revision`, and where it knows them `previous`, `compatible` and `says`. One line a revision, the oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from orchestrator.errors import StepFailed
from orchestrator.model import Deployment, Direction, Migration, Outcome, Revision

REPORT = "changeover:"
_REVISION = TypeAdapter(Revision)
_REVISIONS = TypeAdapter(tuple[Revision, ...])


@dataclass(frozen=True)
class Way:
    """What must be done to the data before a release can run on it: revisions to take back, then those to apply."""

    down: tuple[Revision, ...] = ()
    up: tuple[Revision, ...] = ()

    @property
    def free(self) -> bool:
        """The release can run on the data as it is."""
        return not (self.down or self.up)


def reported(line: str) -> Revision | None:
    """The revision that a line of output reports, if it reports one. Raises StepFailed for a report that is none."""
    if not line.startswith(REPORT):
        return None
    try:
        return _REVISION.validate_json(line.removeprefix(REPORT), extra="forbid")
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the line"
        raise StepFailed(
            f"The migration reported '{line[:200]}', which is no revision: {where}: {problem['msg']}.",
            'A report is a line such as: changeover: {"revision": "0002", "previous": "0001", "compatible": true}',
        ) from error


def as_json(revisions: Iterable[Revision]) -> str:
    """For a container's label; `from_json` reads it."""
    return _REVISIONS.dump_json(tuple(revisions)).decode()


def from_json(text: str) -> tuple[Revision, ...]:
    """Raises ValueError for what `as_json` did not write."""
    return _REVISIONS.validate_json(text)


def applied(migrations: Iterable[Migration]) -> tuple[Revision, ...]:
    """The revisions that the data has after these runs, the oldest first. Runs are given in their order."""
    runs = [run for run in migrations if run.outcome is Outcome.DONE]
    has: list[Revision] = []
    for number, run in enumerate(runs):
        names = {one.revision for one in run.revisions}
        match run.direction:
            case Direction.UP:
                has = [one for one in has if one.revision not in names] + list(run.revisions)
            case Direction.DOWN:
                has = [one for one in has if one.revision not in names]
            case Direction.RESTORED:
                moment = run.as_of or run.started_at
                has = list(applied(one for one in runs[:number] if one.started_at < moment))
    return tuple(has)


def way_to(target: Deployment, migrations: Iterable[Migration], *, exactly: bool = False) -> Way:
    """From the data as it is to what a release that was live once can run on.

    The release knows what had been applied before it went live. Of what came later, the earliest revision that it
    cannot run on is taken back, with all that stand on it; `exactly` takes everything back that came later. What was
    taken back since is applied again.
    """
    runs = list(migrations)
    has = applied(runs)
    known = applied(run for run in runs if target.live_at is None or run.started_at < target.live_at)
    known_names = {one.revision for one in known}
    later = [one for one in has if one.revision not in known_names]
    down: tuple[Revision, ...] = ()
    breaking = [number for number, one in enumerate(later) if exactly or not one.compatible]
    if breaking:
        down = tuple(later[breaking[0] :])
    has_names = {one.revision for one in has}
    return Way(down, tuple(one for one in known if one.revision not in has_names))


def names(revisions: Iterable[Revision]) -> str:
    """For messages: '0002 (receipts), 0003'."""
    return ", ".join(f"{one.revision} ({one.says})" if one.says else one.revision for one in revisions)
