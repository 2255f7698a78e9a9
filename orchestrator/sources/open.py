"""The source that an app's configuration names."""

from __future__ import annotations

from pathlib import Path

from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.sources.base import Source
from orchestrator.sources.git import GitRepository


def open_source(policy: UpdatePolicy, app: str, folder: Path, checkout: Path) -> Source:
    """`folder` is where sources keep what they have fetched; `checkout` is what `.` and names of Git remotes refer to.

    Nothing is asked yet. Kinds of sources that are still to come are refused by the configuration's loader.
    """
    return GitRepository(policy.git, folder / f"{app}.git", checkout)
