"""An update as the API answers it. Fields that an older orchestrator does not know have their defaults."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class Change(Value):
    """One commit of a release. `kind` is its Conventional Commits type, or empty; `breaks` is what its footer BREAKING
    CHANGE says."""

    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False
    breaks: str = ""


class DependencyChange(Value):
    """A package in another version. `before` is empty for one that was added, `after` for one that was removed."""

    ecosystem: str
    name: str
    before: str = ""
    after: str = ""


class Update(Value):
    """A release that can be deployed; `checked_at` is the time of the check. What is None is not known.

    `changes_left_out`, `dependencies_left_out`: how many more there are than are listed. `notes`: what the lists do not
    say. `build_bytes`: what the last build added; `expected_seconds`: by `expected_by` earlier deployments.
    """

    version: str
    revision: str
    released_at: datetime | None = None
    checked_at: datetime
    origin: str
    changes: tuple[Change, ...] = ()
    changes_left_out: int = 0
    dependencies: tuple[DependencyChange, ...] | None = None
    dependencies_left_out: int = 0
    notes: tuple[str, ...] = ()
    download_bytes: int | None = None
    build_bytes: int | None = None
    expected_seconds: float | None = None
    expected_by: int = 0
    waits: str = ""
    """That it installs itself, and when."""
