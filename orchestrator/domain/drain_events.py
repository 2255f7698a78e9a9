"""The events of a drain, and of a deployment that waits for one. Their kinds are in events.py."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class Waiting(Occurrence):
    """A queued deployment waits: `cause` says for what, and how long that takes at most."""

    kind = EventKind.WAITING
    cause: str


@dataclass(frozen=True)
class Draining(Occurrence):
    """A colour is being drained: what it still has in hand, since when, and the limit, in seconds.

    `paused`: requests are paused meanwhile, and long-lived connections are not waited for.
    """

    kind = EventKind.DRAINING
    colour: str
    requests: int
    uploads: int
    streams: int
    websockets: int
    waited: float
    limit: float
    paused: bool = False


@dataclass(frozen=True)
class Drained(Occurrence):
    """A colour is drained. The counts are what was cut: zeros if everything ended by itself."""

    kind = EventKind.DRAINED
    colour: str
    requests: int
    uploads: int
    streams: int
    websockets: int
    seconds: float
    paused: bool = False
