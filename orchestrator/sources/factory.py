"""Opens the source that an app's configuration names. It has a case for each kind of source."""

from __future__ import annotations

import asyncio
from pathlib import Path

from border.secrets import Secrets
from orchestrator.config.preflight import unsupported_remote
from orchestrator.config.schema import PANEL, App
from orchestrator.config.source_schema import GitSource, PypiSource, RegistrySource, UrlSource
from orchestrator.errors import ChangeoverError
from orchestrator.sources.base import Source
from orchestrator.sources.git import GitRepository
from orchestrator.sources.registry import RegistryImages
from orchestrator.sources.url import ArchivedReleases


def open_source(
    config: App,
    app: str,
    folder: Path,
    checkout: Path,
    lock: asyncio.Lock,
    known_secrets: Secrets,
    beside: Path | None = None,
) -> Source:
    """The app's source. Does not contact it.

    The source stores fetched data in `folder`; `.` and names of Git remotes refer to `checkout`. `lock` is held
    while it writes there: a source that replaces another one of the app shares its folder. `beside`: the folder of the
    configuration file, where its relative paths begin; that of the checkout if it is not given.
    """
    match config.update.followed:
        case GitSource() as git:
            refusal = "" if app == PANEL else unsupported_remote(git)
            return GitRepository(
                git,
                folder / f"{app}.git",
                checkout,
                lock,
                refusal=refusal,
                context=config.build.context,
                known_secrets=known_secrets,
                beside=beside,
                scheme=config.update.ordered_by,
            )
        case PypiSource() as pypi:
            # Its libraries take 10 MB, which only those need who have such an app.
            from orchestrator.sources.pypi import PackageReleases

            return PackageReleases(pypi, folder=beside or checkout, known_secrets=known_secrets)
        case UrlSource() as url:
            return ArchivedReleases(
                url, beside or checkout, known_secrets=known_secrets, scheme=config.update.ordered_by
            )
        case RegistrySource() as registry:
            return RegistryImages(
                registry, beside or checkout, known_secrets=known_secrets, scheme=config.update.ordered_by
            )
        case _:
            raise ChangeoverError(f"{app} has no section for its source '{config.update.source}'.")
