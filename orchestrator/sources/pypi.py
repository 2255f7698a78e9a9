"""The PyPI source: a package on a Python package index. Its source revisions are versions, as the index writes them."""

from __future__ import annotations

import asyncio
import os
import shutil
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet

from border.secrets import Secrets
from border.urls import without_credentials
from orchestrator.config.index_login import login_of_index
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.source_schema import PypiSource
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.release import Release
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import archive, package_changelog, package_source
from orchestrator.sources.base import SourceRelease, SourceVersion, followed_first
from orchestrator.sources.machine_index import index_of, machine_index, refuse_no_web_address
from orchestrator.sources.package_changelog import Files
from orchestrator.sources.package_index import SDIST, IndexRelease, PackageIndex
from orchestrator.sources.versions import python_version
from orchestrator.sources.web import Web
from orchestrator.sources.wheels import best_wheel

BASE, PYTHON = "debian:trixie-slim", "3.13"
"""The base image when no version of Python is configured, and the one that it has."""
MOST_SHOWN = 5


class PackageReleases:
    """A package's releases, ordered by PEP 440. What is fetched can be built: its own source distribution, if that has
    a Dockerfile, or an image around its wheel."""

    def __init__(
        self,
        settings: PypiSource,
        web: Web | None = None,
        folder: Path | None = None,
        known_secrets: Secrets | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings = settings
        self._folder = folder or Path()
        self._border = known_secrets or Secrets()
        self._machine_index = "" if settings.index_url else machine_index(environment)
        self._address = index_of(settings, environment)
        self._index = PackageIndex(
            without_credentials(self._address), settings.package_name, web or Web(), self._authorization
        )
        self._range = SpecifierSet(settings.version_range) if settings.version_range else None
        self._python = settings.python or PYTHON
        self._last: tuple[tuple[str, str], Changelog] | None = None

    async def origin(self) -> str:
        """The package and the host of its index."""
        return f"{self._index.package} on {urlsplit(self._index.url).hostname}"

    def _authorization(self) -> str:
        """By the file as it is now. Raises StepFailed."""
        refuse_no_web_address(self._address)
        try:
            login = login_of_index(self._settings.credentials_file, self._address, self._folder)
        except SecretUnreadable as error:
            raise StepFailed(error.cause, error.remedy) from error
        if login is None:
            return ""
        encoded = b64encode(f"{login.username}:{login.password}".encode()).decode()
        self._border.know({login.password, encoded})
        return f"Basic {encoded}"

    async def newest(self, ref: str = "") -> SourceRelease:
        """Ask the index. `ref`: a version; empty: the newest one, a pre-release only if these are asked for.

        Raises StepFailed when the index does not answer, or has no such version that runs on this Python.
        """
        found = await self._index.releases(self._python)
        # In a thread: of thousands of releases none may be in the range.
        chosen = _named(found, ref) if ref else await to_its_end(asyncio.to_thread(self._newest, found))
        if chosen is None:
            raise StepFailed(*await to_its_end(asyncio.to_thread(self._why_none, found, ref)))
        return SourceRelease(Release(str(chosen.version), str(chosen.version)), chosen.released_at)

    def _newest(self, found: tuple[IndexRelease, ...]) -> IndexRelease | None:
        return next(filter(self._is_followed, found), None)

    def _is_followed(self, release: IndexRelease) -> bool:
        version, specifiers = release.version, self._range
        if specifiers is not None:
            # A range that names a pre-release takes it, as for pip. Said, not left open: then any would be taken.
            with_pre_releases = self._settings.pre_release or bool(specifiers.prereleases)
            return specifiers.contains(version, prereleases=with_pre_releases)
        return self._settings.pre_release or not version.is_prerelease

    async def versions(self) -> tuple[SourceVersion, ...]:
        """Ask the index; pre-releases, too."""
        found = await self._index.releases(self._python)
        return tuple(
            SourceVersion(str(one.version), str(one.version), one.released_at, is_followed)
            for one, is_followed in await to_its_end(asyncio.to_thread(followed_first, found, self._is_followed))
        )

    def forget(self) -> None:
        self._index.forget()

    def _why_none(self, found: tuple[IndexRelease, ...], ref: str) -> tuple[str, str]:
        first = followed_first(found, self._is_followed)[:MOST_SHOWN]
        package, shown = self._index.package, ", ".join(str(one.version) for one, _ in first)
        if ref:
            has = f" The newest ones: {shown}." if shown else ""
            return (
                f"{package} has no version '{ref[:80]}' that can be installed with Python {self._python}.{has}",
                "Correct the --ref that was given, or update.pypi.python.",
            )
        if found and self._settings.version_range:
            return (
                f"{package} has no version in the range {self._settings.version_range}. The newest ones: {shown}.",
                "Correct update.pypi.version_range.",
            )
        if found:
            return (f"{package} has pre-releases only: {shown}.", "To use them, set update.pypi.pre_release: true.")
        return (
            f"{package} has no release that can be installed with Python {self._python}.",
            "Set update.pypi.python to a version that it supports.",
        )

    async def changelog(self, since: str, until: str) -> Changelog:
        """What the changelog file of the package's source distribution says, and which packages it needs otherwise."""
        if self._last is None or self._last[0] != (since, until):
            found = await self._index.releases(self._python)
            before, after = _named(found, since), _named(found, until)
            if after is None:
                return Changelog()
            log = await package_changelog.changelog_between(self._index, before, after, self._files_of(after), since)
            self._last = (since, until), log
        return self._last[1]

    def _files_of(self, found: IndexRelease) -> Files:
        """What is fetched of a release: its source distribution, which may hold a Dockerfile, and the wheel."""
        sdist = next((file for file in found.files if file.kind == SDIST and file.name.endswith(archive.SUFFIX)), None)
        return Files(sdist, best_wheel(found.files, self._python), is_built=not self._settings.command)

    async def is_older(self, revision: str, than: str) -> bool:
        """Whether it comes before, or is the same. False where one of them is no version."""
        one, other = python_version(revision), python_version(than)
        return one is not None and other is not None and one <= other

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write what is built into `folder`. Raises StepFailed."""
        found = _named(await self._index.releases(self._python), source_revision)
        if found is None:
            raise StepFailed(
                f"{self._index.package} {source_revision} cannot be installed any more: it was removed or yanked.",
                "Deploy another version.",
            )
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        sdist = self._files_of(found).sdist
        if sdist and not self._settings.command:
            packed = folder.with_name(f"{folder.name}{archive.SUFFIX}")
            try:
                await self._index.download(sdist, packed)
                if await to_its_end(asyncio.to_thread(archive.unpack, packed, folder, only_with="Dockerfile")):
                    return
            finally:
                packed.unlink(missing_ok=True)
        await self._write_image(found, folder)

    async def _write_image(self, found: IndexRelease, folder: Path) -> None:
        """What makes an image around the release's wheel, or its source distribution if no wheel fits."""
        chosen = best_wheel(found.files, self._python) or next((one for one in found.files if one.kind == SDIST), None)
        if chosen is None:
            raise StepFailed(
                f"{self._index.package} {found.version} has no file that can be installed with Python {self._python} "
                "on this machine: its wheels are for others, and it has no source distribution.",
                "Set update.pypi.python to a version that it has wheels for, or deploy another version.",
            )
        dist = folder / "dist"
        dist.mkdir()
        file = dist / chosen.name
        await self._index.download(chosen, file)
        command = self._settings.command
        if command is None:
            command = await to_its_end(asyncio.to_thread(package_source.own_command, file, self._index.package))
        base = f"python:{self._settings.python}-slim" if self._settings.python else BASE
        package_source.write_dockerfile(
            folder,
            base,
            self._settings.index_url or without_credentials(self._machine_index),
            command,
            self._machine_index != "",
        )


def _named(found: tuple[IndexRelease, ...], name: str) -> IndexRelease | None:
    wanted = python_version(name)
    return next((one for one in found if one.version == wanted), None) if wanted else None
