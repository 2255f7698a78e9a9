"""A Python package index (PEP 503, PEP 691): the releases of a package, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage, ProjectPage

from border.plain import plain
from orchestrator.errors import StepFailed
from orchestrator.sources.web import NotThere, Page, Web

PYPI = "https://pypi.org/simple/"
JSON = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
WHEEL, SDIST = "wheel", "sdist"


@dataclass(frozen=True)
class IndexFile:
    """A file of a release. `kind` is WHEEL or SDIST; `sha256` is empty if the index does not say it."""

    name: str
    url: str
    kind: str
    sha256: str
    size: int | None


@dataclass(frozen=True)
class IndexRelease:
    """A version that can be installed. `released_at`: when its first file was uploaded, if the index says so."""

    version: Version
    files: tuple[IndexFile, ...]
    released_at: datetime | None


class PackageIndex:
    """Asks an index for a package. What it said before is kept, so that it need not say it again."""

    def __init__(self, url: str | None, package: str, web: Web) -> None:
        self.package = canonicalize_name(package)
        self.url = url or PYPI
        self._page_url = f"{self.url.rstrip('/')}/{self.package}/"
        self._web = web
        self._known: tuple[Page, tuple[IndexRelease, ...]] | None = None

    async def releases(self, python: str) -> tuple[IndexRelease, ...]:
        """The releases that can be installed with this version of Python, the newest first. Raises StepFailed."""
        known = self._known
        try:
            page = await self._web.page(self._page_url, ACCEPT, known[0] if known else None)
        except NotThere as error:
            raise StepFailed(
                f"The package index {self.url} has no package '{self.package}'.",
                "Correct update.pypi.package_name, or update.pypi.index_url.",
            ) from error
        if known and known[0] is page:
            return known[1]
        found = tuple(_releases(_files(page), python))
        self._known = page, found
        return found


def _files(page: Page) -> list[DistributionPackage]:
    try:
        if page.media_type in (JSON, "application/json"):
            found = ProjectPage.from_json_data(json.loads(page.content), base_url=page.url)
        else:
            text = page.content.decode("utf-8", errors="replace")
            found = ProjectPage.from_html("", text, base_url=page.url)
    # The library raises what its parsers do.
    except Exception as error:
        raise StepFailed(
            f"{plain(page.url)[:200]} is not a page of a package index: {plain(str(error))[:200]}.",
            "Set update.pypi.index_url to an index, as pip takes it: https://pypi.org/simple/",
        ) from error
    return found.packages


def _releases(files: Iterable[DistributionPackage], python: str) -> Iterable[IndexRelease]:
    """Without what was yanked, and what needs another Python."""
    usable: dict[Version, list[DistributionPackage]] = {}
    for file in files:
        version = _version(file)
        if version and not file.is_yanked and file.package_type in (WHEEL, SDIST) and _runs_on(file, python):
            usable.setdefault(version, []).append(file)
    for version in sorted(usable, reverse=True):
        dates = [one.upload_time for one in usable[version] if one.upload_time]
        yield IndexRelease(version, tuple(map(_file, usable[version])), min(dates).astimezone(UTC) if dates else None)


def _version(file: DistributionPackage) -> Version | None:
    try:
        return Version(file.version or "")
    except InvalidVersion:
        return None


def _runs_on(file: DistributionPackage, python: str) -> bool:
    try:
        return SpecifierSet(file.requires_python or "").contains(f"{python}.99", prereleases=True)
    except InvalidSpecifier:
        return True


def _file(file: DistributionPackage) -> IndexFile:
    return IndexFile(
        file.filename, file.url, str(file.package_type), (file.digests or {}).get("sha256", "").lower(), file.size
    )
