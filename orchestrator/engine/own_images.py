"""Changeover's own images, which stand below the stack's name as those of the apps do, and are never removed."""

from __future__ import annotations

OWN_IMAGES = ("orchestrator", "proxy")
VERSION = "latest"
"""compose.yaml gives them no tag. An image of a release has its source revision and deployment in its tag."""


def is_own(tag: str) -> bool:
    """Whether a tag is of Changeover itself: an app may have the name of one of its images, too."""
    name, _, version = tag.rpartition(":")
    return version == VERSION and name.rpartition("/")[2] in OWN_IMAGES
