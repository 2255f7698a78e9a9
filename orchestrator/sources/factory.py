"""Opens the source that an app's configuration names. It has a case for each kind of source."""

from __future__ import annotations

import asyncio
from pathlib import Path

from border.secrets import Secrets
from orchestrator.config.preflight import unsupported_remote
from orchestrator.config.schema import PANEL, App
from orchestrator.errors import ChangeoverError
from orchestrator.sources.base import Source
from orchestrator.sources.git import GitRepository


def open_source(
    config: App, app: str, folder: Path, checkout: Path, lock: asyncio.Lock, known_secrets: Secrets
) -> Source:
    """The app's source. Does not contact it. Raises ChangeoverError for a kind that is not implemented.

    The source stores fetched data in `folder`; `.` and names of Git remotes refer to `checkout`. `lock` is held
    while it writes there: a source that replaces another one of the app shares its folder.
    """
    git = config.update.git
    match config.update.source:
        case "git":
            refusal = "" if app == PANEL else unsupported_remote(git)
            return GitRepository(
                git,
                folder / f"{app}.git",
                checkout,
                lock,
                refusal=refusal,
                context=config.build.context,
                known_secrets=known_secrets,
            )
        case "pypi" if config.update.pypi:
            # Its libraries take 10 MB, which only those need who have such an app.
            from orchestrator.sources.pypi import PackageReleases

            return PackageReleases(config.update.pypi)
        case kind:
            raise ChangeoverError(f"The source '{kind}' of {app} is not implemented.", "Set update.source to git.")
