"""An update: a release that can be deployed, and what it brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.changelog import Changelog
from orchestrator.domain.release import Release


@dataclass(frozen=True)
class Expected:
    """What deploying an update is expected to take, by earlier deployments of the app. None: not known, because there
    were none.

    `build_bytes`: the size of the layers that the last build added to the image before it. `seconds`: from the start to
    the switch; `deployments`: by so many.
    """

    build_bytes: int | None = None
    seconds: float | None = None
    deployments: int = 0


@dataclass(frozen=True)
class Update:
    """A release that can be deployed. `checked_at` is the time of the check, `origin` the source; `released_at` is None
    where the source does not say when."""

    release: Release
    changelog: Changelog
    released_at: datetime | None
    checked_at: datetime
    origin: str
    expected: Expected = Expected()
