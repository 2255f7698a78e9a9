"""What becomes of the standby in a deployment, as an event."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class StandbyStays(Occurrence):
    """The standby, of this version, stays when a deployment replaces the active release `instead_of`, which crashes
    (`cause`): then that one is not the goal of a rollback. Decided before the switch."""

    kind = EventKind.STANDBY_STAYS
    version: str
    instead_of: str
    cause: str


@dataclass(frozen=True)
class StandbyCrashed(Occurrence):
    """A release that crashed (`cause`) has become the standby, because there was no other one or a person rolled back.
    It belongs to the deployment that made the container; `by` is the one that took the traffic from it."""

    kind = EventKind.STANDBY_CRASHED
    version: str
    cause: str
    by: str
