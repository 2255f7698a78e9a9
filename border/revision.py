"""Source revisions as people see them, and give them back."""

from __future__ import annotations

import re

SHOWN_DIGITS = 12
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def short(revision: str) -> str:
    """A commit by its first digits; the revision of another kind of source, such as a version, whole."""
    return revision[:SHOWN_DIGITS] if _COMMIT.fullmatch(revision) else revision


def option(revision: str) -> str:
    """The option of `changeover deploy` that deploys a release again.

    What was deployed by hand is no revision of the app's source, and an archive is not kept.
    """
    kind, _, named = revision.partition(":")
    match kind:
        case "image":
            return f"--image {named}"
        case "archive":
            return "--archive FILE"
        case _:
            return f"--ref {short(revision)}"
