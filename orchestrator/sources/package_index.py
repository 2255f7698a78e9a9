"""A Python package index (PEP 503, PEP 691): the releases of a package, and their files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pypi_simple import DistributionPackage, ProjectPage

from border.plain import plain
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.moment import in_utc
from orchestrator.sources.redirects import is_same_server, shown
from orchestrator.sources.versions import python_version
from orchestrator.sources.web import NotThere, Page, Unauthorised, Web

JSON = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
WHEEL, SDIST = "wheel", "sdist"
_NAME_AN_INDEX = "Set update.pypi.index_url to an index, as pip takes it, or leave it out."
_LOGIN = "Write the user and password or token that the index accepts into the file of update.pypi.credentials_file."
MOST_MARKS = {"json": (b",[{", 3_000_000), "html": (b"<", 200_000), "attributes": (b" \t\r\n\f/", 2_000_000)}
"""So many of these characters a page may have, by its kind: each makes an object in memory, of up to a kilobyte. The
largest index pages, with 50,000 files, have a quarter of them."""
MOST_OF_METADATA = 2**20
MOST_OF_VERSION = 200
"""Characters. A deployment records no more of what is requested."""
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}")
"""It becomes one of a file here; those of wheels and source distributions are so (PEP 427, PEP 625)."""


@dataclass(frozen=True)
class IndexFile:
    """A file of a release. `kind` is WHEEL or SDIST; `sha256` is empty if the index does not say it, `size` None.

    `has_metadata`: whether its metadata can be read without it (PEP 658).
    """

    name: str
    url: str
    kind: str
    sha256: str
    size: int | None = None
    has_metadata: bool = False


@dataclass(frozen=True)
class IndexRelease:
    """A version that can be installed. `released_at`: when its first file was uploaded, if the index says so."""

    version: Version
    files: tuple[IndexFile, ...]
    released_at: datetime | None


class PackageIndex:
    """Asks an index for a package. What it said before is kept, so that it need not say it again.

    `url`: without credentials. `authorization` gives the header by which the index is asked, at each question; it is
    sent to the server of that address alone.
    """

    def __init__(self, url: str, package: str, web: Web, authorization: Callable[[], str] = lambda: "") -> None:
        self.package = canonicalize_name(package)
        self.url = url
        self._authorization = authorization
        self._page_url = f"{self.url.rstrip('/')}/{self.package}/"
        self._web = web
        self._known: tuple[Page, tuple[IndexRelease, ...]] | None = None

    async def releases(self, python: str) -> tuple[IndexRelease, ...]:
        """The releases that can be installed with this version of Python, the newest first. Raises StepFailed."""
        known = self._known
        try:
            page = await self._web.page(
                self._page_url, ACCEPT, known[0] if known else None, authorization=self._authorization()
            )
        except NotThere as error:
            raise StepFailed(
                f"The package index {self.url} has no package '{self.package}'.",
                "Correct update.pypi.package_name, or update.pypi.index_url.",
            ) from error
        except Unauthorised as error:
            raise StepFailed(error.cause, _LOGIN) from error
        if known and known[0] is page:
            return known[1]
        # A large page takes seconds, in which others want to be answered.
        found = await to_its_end(asyncio.to_thread(lambda: _read(page, self.package, python)))
        self._known = replace(page, content=b""), found
        return found

    def forget(self) -> None:
        """The next question is answered whole."""
        self._known = None

    async def download(self, file: IndexFile, to: Path, most: int | None = None) -> None:
        """Write a file of a release, of at most `most` bytes. Raises StepFailed, also when the index leads where it
        must not."""
        if not file.sha256:
            raise StepFailed(
                f"The index says no SHA-256 of {file.name}: nobody knows whether it is whole.",
                "Use an index that does, as PyPI, devpi and pypiserver do.",
            )
        authorization = self._authorization_for(file.url)
        headers = {"authorization": authorization} if authorization else {}
        await self._web.download(file.url, to, file.sha256, led_from=self._page_url, most=most, headers=headers)

    async def metadata(self, file: IndexFile) -> str:
        """What a file says of itself (PEP 566), read without it; empty if the index does not have that.

        Raises StepFailed.
        """
        if not file.has_metadata:
            return ""
        parts = urlsplit(file.url)._replace(fragment="")
        url = parts._replace(path=f"{parts.path}.metadata").geturl()
        page = await self._web.page(
            url, "*/*", most=MOST_OF_METADATA, led_from=self._page_url, authorization=self._authorization_for(url)
        )
        return page.content.decode("utf-8", errors="replace")

    def _authorization_for(self, url: str) -> str:
        """That of the index where the file is on the same server; files on another one are fetched as by anybody."""
        return self._authorization() if is_same_server(url, self._page_url) else ""


def _files(page: Page) -> list[DistributionPackage]:
    is_json = page.media_type in (JSON, "application/json")
    for kind in ("json",) if is_json else ("html", "attributes"):
        marks, most = MOST_MARKS[kind]
        if sum(page.content.count(mark) for mark in marks) > most:
            raise StepFailed(f"{shown(page.url)} is not read: it has too many values.", _NAME_AN_INDEX)
    try:
        if is_json:
            found = ProjectPage.from_json_data(json.loads(page.content), base_url=page.url)
        else:
            text = page.content.decode("utf-8", errors="replace")
            found = ProjectPage.from_html("", text, base_url=page.url)
    # The library raises what its parsers do.
    except Exception as error:
        raise StepFailed(
            f"{shown(page.url)} is not a page of a package index: {plain(str(error))[:200]}.",
            _NAME_AN_INDEX,
        ) from error
    return found.packages


def _read(page: Page, package: str, python: str) -> tuple[IndexRelease, ...]:
    files = _files(page)
    if not any(canonicalize_name(file.project or "") == package for file in files):
        raise StepFailed(
            f"{shown(page.url)} lists no wheel or source distribution of '{package}'.",
            "If the package has releases, this is no page of a package index, but one such as a sign-in page: correct "
            "update.pypi.index_url.",
        )
    return tuple(_releases(files, package, python))


def _releases(files: Iterable[DistributionPackage], package: str, python: str) -> Iterable[IndexRelease]:
    """Without what was yanked, what is of another package, and what needs another Python."""
    usable: dict[Version, list[DistributionPackage]] = {}
    for file in files:
        version = python_version(file.version or "")
        version = version if len(str(version)) <= MOST_OF_VERSION else None
        is_ours = canonicalize_name(file.project or "") == package and _FILE_NAME.fullmatch(file.filename)
        if (
            version
            and is_ours
            and file.package_type in (WHEEL, SDIST)
            and not file.is_yanked
            and _runs_on(file, python)
        ):
            usable.setdefault(version, []).append(file)
    for version in sorted(usable, reverse=True):
        dates = [found for one in usable[version] if one.upload_time and (found := in_utc(one.upload_time))]
        yield IndexRelease(version, tuple(map(_file, usable[version])), min(dates, default=None))


def _runs_on(file: DistributionPackage, python: str) -> bool:
    try:
        return SpecifierSet(file.requires_python or "").contains(f"{python}.99", prereleases=True)
    except ValueError:  # InvalidSpecifier is one; Python makes no number of more than 4300 digits, and raises another
        return True


def _file(file: DistributionPackage) -> IndexFile:
    size = file.size if isinstance(file.size, int) and file.size >= 0 else None
    return IndexFile(
        file.filename,
        file.url,
        str(file.package_type),
        (file.digests or {}).get("sha256", "").lower(),
        size,
        bool(file.has_metadata),
    )
