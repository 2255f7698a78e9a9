"""What became of a version, in words."""

from __future__ import annotations

from panel.client.version_model import Version

STATES = {
    "live": "live",
    "standby": "standby",
    "was_live": "was live",
    "failed": "failed",
    "skipped": "skipped",
}


def in_words(version: Version) -> str:
    """Empty where nothing is to be said."""
    says = [STATES[version.state]] if version.state in STATES else []
    says += [] if version.followed else ["not followed"]
    return ", ".join(says)
