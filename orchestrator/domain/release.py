"""What can be deployed: a release, what it changes, and the update that offers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Release:
    """One immutable version of an app.

    `source_revision` is the commit, or what another kind of source has in its place. `image` is the engine's content
    digest, `sha256:…`; it is empty before the image is built.
    """

    version: str
    source_revision: str
    image: str = ""


@dataclass(frozen=True)
class Change:
    """One commit between two releases. `kind` is a Conventional Commits type, or empty."""

    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False


@dataclass(frozen=True)
class Update:
    """A release that could be deployed, and what it changes. `checked_at` is when the source was asked."""

    release: Release
    changes: tuple[Change, ...]
    released_at: datetime
    checked_at: datetime
    origin: str
