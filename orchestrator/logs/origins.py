"""The logs that an app has: of its containers, of those that are removed, and the output of its deployments' steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, State
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_NUMBER,
    LABEL_RELEASE,
    LABEL_ROLE,
    Engine,
    Placed,
    Role,
)
from orchestrator.errors import EngineError, UnknownContainer
from orchestrator.journal.store import Journal
from orchestrator.logs.kept import Kept, KeptLogs

ALL, PREVIOUS = "all", "previous"
STEPS_OF = 20
"""The output of so many newest deployments is among the logs of an app."""


class Place(StrEnum):
    """What has written a log: a container in one of these places, or steps: the build and the sidecars."""

    ACTIVE = "active"
    STANDBY = "standby"
    CANDIDATE = "candidate"
    EARLIER = "earlier"
    STEPS = "steps"


@dataclass(frozen=True)
class Origin:
    """One log. `file`: its container is removed, and it is kept there. Moments have the form of LogLine's `at`."""

    name: str
    place: Place
    deployment: str
    number: int
    colour: str = ""
    version: str = ""
    running: bool = False
    file: Path | None = None
    removed_at: str = ""
    last_at: str = ""
    left_out: str = ""

    @property
    def is_on_engine(self) -> bool:
        return self.file is None and self.place is not Place.STEPS


@dataclass(frozen=True)
class Origins:
    """All logs of an app, the newest deployment first. `problem`: why those on the engine are missing."""

    found: tuple[Origin, ...]
    problem: str = ""


async def origins_of(app: str, engine: Engine, journal: Journal, kept: KeptLogs) -> Origins:
    """Raises JournalError. An engine that is away is a problem, and not an error: what is kept can be read."""
    slots = journal.slots(app)
    unfinished = await journal.beside(journal.unfinished)
    running = {one.id for one in unfinished if one.app == app and one.state is State.RUNNING}

    def place_of(one: Placed) -> Place:
        deployment = one.labels.get(LABEL_DEPLOYMENT, "")
        for slot, place in ((slots.active, Place.ACTIVE), (slots.standby, Place.STANDBY)):
            if slot and one.name == journal.deployment(slot).container:
                return place
        return Place.CANDIDATE if deployment in running else Place.EARLIER

    problem, placed = "", []
    try:
        placed = [one for one in await engine.placed() if _is_of(one, app)]
    except EngineError as error:
        problem = f"Only logs of removed containers are shown: {error.cause}"
    on_engine = [_on_engine(one, place_of(one)) for one in placed]
    removed = [_removed(file, one) for file, one in (await asyncio.to_thread(kept.of, app)).items()]
    steps = [_steps(one) for one in await journal.beside(journal.deployments, app, STEPS_OF) if one.steps]
    found = sorted((*on_engine, *removed, *steps), key=lambda one: (-one.number, one.place, one.name))
    return Origins(tuple(found), problem)


def chosen(app: str, origins: Origins, which: str) -> list[Origin]:
    """Those that are asked for: `all`, a place, a colour (its newest container), `previous` (the container before the
    active one), the id of a deployment, or the name of a container. Raises UnknownContainer.
    """
    containers = [one for one in origins.found if one.place is not Place.STEPS]
    match which:
        case "all":
            return list(origins.found)
        case "active" | "standby" | "candidate":
            found = [one for one in containers if one.place == which and not one.file]
        case "previous":
            found = _before_active(containers)
        case "blue" | "green":
            found = _newest([one for one in containers if one.colour == Colour(which)])
        case _:
            found = [one for one in origins.found if which in (one.deployment, one.name)]
    if not found:
        if origins.problem:
            raise EngineError(origins.problem, "Look at the engine: changeover doctor")
        names = ", ".join(dict.fromkeys(one.name for one in containers)) or "none"
        raise UnknownContainer(
            f"{app} has no log of '{which}'. Its containers, removed ones included: {names}.",
            "Ask for all, active, standby, candidate, previous, blue, green, a deployment or one of these.",
        )
    return found


def _before_active(containers: Sequence[Origin]) -> list[Origin]:
    active = max((one.number for one in containers if one.place is Place.ACTIVE), default=0)
    standby = [one for one in containers if one.place is Place.STANDBY and not one.file]
    earlier = [one for one in containers if one.place is Place.EARLIER and (not active or one.number < active)]
    return standby or _newest(earlier)


def _newest(containers: Sequence[Origin]) -> list[Origin]:
    newest = max(containers, key=lambda one: (not one.file, one.number, one.removed_at), default=None)
    return [newest] if newest else []


def _is_of(one: Placed, app: str) -> bool:
    return one.labels.get(LABEL_APP) == app and one.labels.get(LABEL_ROLE) == Role.APP


def _on_engine(one: Placed, place: Place) -> Origin:
    labels = one.labels
    number = labels.get(LABEL_NUMBER, "")
    return Origin(
        name=one.name,
        place=place,
        deployment=labels.get(LABEL_DEPLOYMENT, ""),
        number=int(number) if number.isascii() and number.isdigit() else 0,
        colour=labels.get(LABEL_COLOUR, ""),
        version=labels.get(LABEL_RELEASE, ""),
        running=one.running,
    )


def _removed(file: Path, one: Kept) -> Origin:
    return Origin(
        name=one.container,
        place=Place.EARLIER,
        deployment=one.deployment,
        number=one.number,
        colour=one.colour,
        version=one.version,
        file=file,
        removed_at=one.removed_at,
        last_at=one.last_at,
        left_out=one.left_out,
    )


def _steps(one: Deployment) -> Origin:
    version = one.release.version if one.release else ""
    return Origin(
        f"steps-{one.id}", Place.STEPS, one.id, one.number, version=version, running=one.state is State.RUNNING
    )
