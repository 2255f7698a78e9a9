"""The URL source: archives on a web server, and a manifest that names the newest one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from packaging.specifiers import SpecifierSet

from border.plain import plain
from border.secrets import Secrets
from border.urls import without_credentials
from orchestrator.config.source_schema import UrlSource
from orchestrator.domain.changelog import MOST_CHANGES, Changelog
from orchestrator.domain.release import Release
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import archive
from orchestrator.sources.base import SourceRelease, SourceVersion, followed_first
from orchestrator.sources.changelog import parse_commit
from orchestrator.sources.manifest import MOST_OF_MANIFEST, ArchivedRelease, read_manifest
from orchestrator.sources.moment import in_utc
from orchestrator.sources.redirects import shown
from orchestrator.sources.signature import refuse_unsigned
from orchestrator.sources.versions import COMMIT, SEMVER, Scheme, compare, is_in, is_version, newest_first
from orchestrator.sources.web import Page, Web

MOST_SHOWN = 5
MOST_OF_SIGNATURE = 4000


class ArchivedReleases:
    """Releases as archives (`.tar.gz`), which hold a Dockerfile. Their source revisions are their versions.

    `folder`: where the paths of the configuration begin.
    """

    def __init__(
        self,
        settings: UrlSource,
        folder: Path,
        web: Web | None = None,
        known_secrets: Secrets | None = None,
        scheme: Scheme = SEMVER,
    ) -> None:
        self._scheme = scheme
        self._settings = settings
        self._range = SpecifierSet(settings.version_range) if settings.version_range else None
        self._folder = folder
        self._web = web or Web()
        self._border = known_secrets or Secrets()
        self._known: tuple[Page, tuple[ArchivedRelease, ...]] | None = None

    async def origin(self) -> str:
        """The manifest's address, without credentials."""
        return self._border.text(without_credentials(self._settings.manifest_url))

    async def newest(self, ref: str = "") -> SourceRelease:
        """Read the manifest. `ref`: a version; empty: the newest one.

        Raises StepFailed when the server does not answer, the manifest is not valid, or has no such version.
        """
        found = await self._releases()
        chosen = _named(found, ref) if ref else self._newest([one for one in found if self._is_followed(one)])
        if chosen is None:
            shown = ", ".join(one.version for one, _ in self._in_order(found)[:MOST_SHOWN])
            wanted, key = (f"'{ref[:80]}'", "the --ref that was given") if ref else self._range_in_words()
            raise StepFailed(f"{await self.origin()} names no version {wanted}. It names: {shown}.", f"Correct {key}.")
        released_at = in_utc(chosen.released_at) if chosen.released_at else None
        return SourceRelease(Release(chosen.version, chosen.version), released_at)

    def _is_followed(self, release: ArchivedRelease) -> bool:
        return self._range is None or is_in(release.version, self._range)

    def _range_in_words(self) -> tuple[str, str]:
        return f"in the range {self._settings.version_range}", "update.url.version_range"

    async def versions(self) -> tuple[SourceVersion, ...]:
        """Read the manifest; what has no order comes last."""
        return tuple(
            SourceVersion(one.version, one.version, in_utc(one.released_at) if one.released_at else None, is_followed)
            for one, is_followed in self._in_order(await self._releases())
        )

    def _in_order(self, releases: tuple[ArchivedRelease, ...]) -> list[tuple[ArchivedRelease, bool]]:
        found = {one.version: one for one in releases}
        order = newest_first(found, self._scheme)
        names = [*order, *(name for name in found if name not in order)]
        return followed_first((found[name] for name in names), self._is_followed)

    def forget(self) -> None:
        self._known = None

    async def changelog(self, since: str, until: str) -> Changelog:
        """What the manifest says of the releases after `since` up to `until`, the newest MOST_CHANGES first."""
        releases = await self._releases()
        after = self._between(releases, since, until)
        lines = [(one.version, line) for one in after for line in one.changelog]
        wanted = _named(releases, until)
        return Changelog(
            changes=tuple(
                parse_commit(version, self._border.cut(plain(line), archive.MOST_AT_ONCE))
                for version, line in lines[:MOST_CHANGES]
            ),
            changes_left_out=max(0, len(lines) - MOST_CHANGES) + sum(one.lines_left_out for one in after),
            download_bytes=wanted.size if wanted else None,
        )

    def _between(self, releases: tuple[ArchivedRelease, ...], since: str, until: str) -> list[ArchivedRelease]:
        """The releases after `since` up to `until`, the newest first: by the manifest's own order, where versions have
        none. One from another source, such as a commit, comes before no version: that of `until` alone is new then."""
        if self._scheme == COMMIT:
            names = [one.version for one in releases]
            begin, end = (names.index(name) if name in names else len(names) for name in (until, since))
            return list(releases[begin:end])
        if since and not is_version(since, self._scheme):
            return [one for one in releases if one.version == until]
        after = [
            one
            for one in releases
            if (compare(one.version, until, self._scheme) or 0) <= 0
            and (not since or (compare(one.version, since, self._scheme) or 0) > 0)
        ]
        order = newest_first((one.version for one in after), self._scheme)
        return sorted(after, key=lambda one: order.index(one.version) if one.version in order else len(order))

    def _newest(self, found: Sequence[ArchivedRelease]) -> ArchivedRelease | None:
        """By the order of versions; the first one where they have none."""
        order = newest_first((one.version for one in found), self._scheme)
        first = next(iter(found), None)
        return next((one for one in found if order and one.version == order[0]), first)

    async def is_older(self, revision: str, than: str) -> bool:
        """Whether it comes before, or is as high. False where one of them is no version."""
        order = compare(revision, than, self._scheme)
        return order is not None and order <= 0

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Download, compare with the manifest, check the signature, and unpack. Raises StepFailed."""
        found = _named(await self._releases(), source_revision)
        if found is None:
            raise StepFailed(
                f"{await self.origin()} does not name version {source_revision} any more.", "Deploy another version."
            )
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        address = self._settings.download_url.replace("{version}", quote(found.version, safe=""))
        packed = folder.with_name(f"{folder.name}{archive.SUFFIX}")
        try:
            await self._web.download(address, packed, found.sha256.lower())
            if self._settings.public_key:
                signature = found.signature or await self._signature_beside(address)
                by_key = (signature, self._folder, self._settings.public_key)
                await to_its_end(asyncio.to_thread(refuse_unsigned, packed, found.version, *by_key))
            await to_its_end(asyncio.to_thread(archive.unpack, packed, folder, called=_called(found, address)))
        finally:
            packed.unlink(missing_ok=True)

    async def _signature_beside(self, address: str) -> str:
        page = await self._web.page(
            f"{address}.minisig", "text/plain, application/octet-stream", most=MOST_OF_SIGNATURE
        )
        return page.content.decode("utf-8", errors="replace")

    async def _releases(self) -> tuple[ArchivedRelease, ...]:
        known = self._known
        page = await self._web.page(
            self._settings.manifest_url, "application/json", known[0] if known else None, most=MOST_OF_MANIFEST
        )
        if known and known[0] is page:
            return known[1]
        found = read_manifest(page.content, await self.origin())
        self._known = replace(page, content=b""), found
        return found


def _called(release: ArchivedRelease, address: str) -> str:
    """How messages call its archive: by what its owner knows, and not by the file of this machine."""
    name = shown(urlsplit(address).path.rpartition("/")[2])
    return f"The archive of {release.version} ({name})" if name else f"The archive of {release.version}"


def _named(found: tuple[ArchivedRelease, ...], name: str) -> ArchivedRelease | None:
    same = next((one for one in found if one.version == name), None)
    return same or next((one for one in found if compare(one.version, name) == 0), None)
