"""A release, and a change that it brings."""

from __future__ import annotations

from dataclasses import dataclass


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
    """One commit between two releases. `revision` is the commit; `kind` is a Conventional Commits type, or empty.
    `breaks`: what its footer BREAKING CHANGE says; a change can be breaking without one."""

    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False
    breaks: str = ""
