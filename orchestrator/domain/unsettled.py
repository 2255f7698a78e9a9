"""What a failed change of an app's data left there, until it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Unsettled:
    """Data that a failed deployment, rollback or restore left in a state that nobody asked for.

    `says` is what is left; `remedy` is the command that settles it; `backup` is the one that the remedy restores, if
    any, and is kept as long as this. It is settled by a deployment that goes live, by a restore, or by a person
    (`changeover migrate accept`). `since` is in UTC.
    """

    deployment: str
    since: datetime
    says: str
    remedy: str
    backup: str = ""

    @property
    def says_since(self) -> str:
        """For messages that are not about the deployment that has left it."""
        return f"{self.says} Since {self.since:%Y-%m-%d %H:%M} UTC, by deployment {self.deployment}."
