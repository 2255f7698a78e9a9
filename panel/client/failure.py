"""Why a deployment failed, and what it left in the data."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class Unsettled(Value):
    """What a failed change of an app's data left there, and the commands that settle it."""

    deployment: str
    since: datetime
    says: str
    remedy: str
    backup: str = ""


class Serving(Value):
    """What the active release answered when it was asked after a failure."""

    answers: bool
    says: str


class Failure(Value):
    """Why a deployment failed. `undone` says what was compensated, one sentence each.

    `left` is what stands in the data, and `left_remedy` the commands that settle it. `serving` is None if the active
    release was not asked.
    """

    step: str
    cause: str
    tip: str = ""
    log: tuple[str, ...] = ()
    exit_code: int | None = None
    oom: bool = False
    undone: tuple[str, ...] = ()
    left: str = ""
    left_remedy: str = ""
    serving: Serving | None = None


class Accepted(Value):
    """What a person accepted: what the failed deployment left in the data."""

    app: str
    deployment: str
    says: str
