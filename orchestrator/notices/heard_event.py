"""An event of which people may be told, until a notice is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.events import Occurrence


@dataclass(frozen=True)
class Incoming:
    """What happened, to which app, in which deployment, and when it was heard."""

    happened: Occurrence
    app: str
    deployment: str
    at: datetime
