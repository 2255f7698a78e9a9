"""The events of an outage: the active release does not serve as it should. Their kinds are in events.py."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class Outage(Occurrence):
    """The active release, of this version, ended by itself, or has not answered as it should for a while.

    `health` is as in HealthChanged. `instead`: the version of the standby that answers in its place, if one does.
    `seconds`: how long it has lasted when this is told.
    """

    kind = EventKind.OUTAGE
    version: str
    health: str
    cause: str
    instead: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class OutageOver(Occurrence):
    """The active release, of this version, has been healthy for a while. The outage before that took `seconds`; 0 if
    that is not known, as after a crash between two probes when it was not heard that the traffic went back."""

    kind = EventKind.OUTAGE_OVER
    version: str
    seconds: float
