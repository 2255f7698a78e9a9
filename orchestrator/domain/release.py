"""A release, its changes, and an update: a release that can be deployed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """One immutable version of an app.

    `source_revision` is the commit, or the equivalent of another kind of source. `image` is the image's content digest,
    `sha256:…`; it is empty before the image is built.
    """

    version: str
    source_revision: str
    image: str = ""


@dataclass(frozen=True)
class Change:
    """One commit between two releases. `revision` is the commit; `kind` is a Conventional Commits type, or empty."""

    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False


@dataclass(frozen=True)
class Update:
    """A release that can be deployed, and its changes. `checked_at` is the time of the check, `origin` the source;
    `released_at` is None where the source does not say when."""

    release: Release
    changes: tuple[Change, ...]
    released_at: datetime | None
    checked_at: datetime
    origin: str
