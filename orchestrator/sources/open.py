"""The source that an app's configuration names: the one place that knows every kind."""

from __future__ import annotations

from pathlib import Path

from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.errors import ChangeoverError
from orchestrator.sources.base import Source
from orchestrator.sources.git import GitRepository


def open_source(policy: UpdatePolicy, app: str, folder: Path, checkout: Path) -> Source:
    """Nothing is asked yet. Raises ChangeoverError for a kind that is not implemented.

    `folder` is where sources keep what they have fetched; `checkout` is what `.` and names of Git remotes refer to.
    """
    match policy.source:
        case "git":
            return GitRepository(policy.git, folder / f"{app}.git", checkout)
        case kind:
            raise ChangeoverError(f"The source '{kind}' of {app} is not implemented.", "Set update.source to git.")
