"""What differs between two releases of a Python package: by its changelog file, and by its metadata."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement

from orchestrator.domain.changelog import MOST_CHANGES, MOST_DEPENDENCIES, Changelog, DependencyChange
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import archive
from orchestrator.sources.changelog_file import FILE_NAME, MOST_OF_FILE, changes_in
from orchestrator.sources.dependencies.needs import Need, differences, python_need, versions_of
from orchestrator.sources.dependencies.requirements import requirement
from orchestrator.sources.package_index import IndexFile, IndexRelease, PackageIndex
from orchestrator.sources.versions import python_version

MOST_OF_SDIST = 32 * 2**20
"""Bytes. A larger one is not fetched for its changelog alone."""

WITHIN_S = 60.0
"""A deployment waits for it, too."""


@dataclass(frozen=True)
class Files:
    """What is fetched of a release. `is_built`: the source distribution is built if it has a Dockerfile."""

    sdist: IndexFile | None
    wheel: IndexFile | None
    is_built: bool


async def changelog_between(
    index: PackageIndex, before: IndexRelease | None, after: IndexRelease, files: Files, since: str
) -> Changelog:
    """`before` is None if the index does not have the live release any more; `since` is its version, empty if nothing
    is live. One from another source, such as a commit, comes before no version: what is new in `after` alone is said.
    Raises nothing for what the index or the package has: a note says what is not known."""
    lines, note = await _sdist_says(index, files.sdist)
    since = since if python_version(since) else ""
    changes = await to_its_end(asyncio.to_thread(changes_in, lines, since, str(after.version)))
    needs = await _needs(index, before, after)
    return Changelog(
        changes=tuple(changes[:MOST_CHANGES]),
        changes_left_out=max(0, len(changes) - MOST_CHANGES),
        dependencies=None if needs is None else tuple(needs[:MOST_DEPENDENCIES]),
        dependencies_left_out=max(0, len(needs or ()) - MOST_DEPENDENCIES),
        download_bytes=_size(files),
        notes=(note,) if note else (),
    )


def _size(files: Files) -> int | None:
    """Of the package itself: what it needs is fetched by its installer. None where the index does not say it."""
    fetched = [*([files.sdist] if files.is_built else []), files.wheel or files.sdist]
    sizes = {one.name: one.size for one in fetched if one}
    known = [size for size in sizes.values() if size is not None]
    return sum(known) if sizes and len(known) == len(sizes) else None


async def _sdist_says(index: PackageIndex, sdist: IndexFile | None) -> tuple[str, str]:
    """The text of the changelog file, and why there is none."""
    if sdist is None:
        return "", "The package has no source distribution, in which its changelog could be."
    if sdist.size is not None and sdist.size > MOST_OF_SDIST:
        return "", f"{sdist.name} is too large to be fetched for its changelog."
    try:
        with tempfile.TemporaryDirectory(prefix="changelog-") as folder:
            packed = Path(folder) / sdist.name
            async with asyncio.timeout(WITHIN_S):
                await index.download(sdist, packed, MOST_OF_SDIST)  # also where the index says another size
            found = await to_its_end(asyncio.to_thread(archive.text_of, packed, _is_changelog, MOST_OF_FILE))
    except TimeoutError:
        return "", f"The changelog of {sdist.name} is not known: it was not fetched within {WITHIN_S:g} s."
    except (StepFailed, OSError) as error:
        why = error.cause if isinstance(error, StepFailed) else f"{error.strerror}."
        return "", f"The changelog of {sdist.name} is not known: {why}"
    return found or "", "" if found else f"{sdist.name} has no changelog file."


def _is_changelog(name: str) -> bool:
    return FILE_NAME.fullmatch(name) is not None


async def _needs(
    index: PackageIndex, before: IndexRelease | None, after: IndexRelease
) -> list[DependencyChange] | None:
    """What the metadata of the one asks for otherwise than that of the other; None where one of them is not known."""
    if before is None:
        return None
    try:
        texts = [await index.metadata(_with_metadata(release)) for release in (before, after)]
    except StepFailed:
        return None  # as an index that has no metadata
    if not all(texts):
        return None
    # A megabyte takes seconds, in which others want to be answered.
    return await to_its_end(asyncio.to_thread(_differences, *texts))


def _differences(before: str, after: str) -> list[DependencyChange]:
    found = differences(versions_of(_asked(before)), versions_of(_asked(after)))
    return [DependencyChange(**one) for one in found]


def _with_metadata(release: IndexRelease) -> IndexFile:
    return next((file for file in release.files if file.has_metadata), release.files[0])


def _asked(metadata: str) -> list[Need]:
    """Without what only an extra of the package needs."""
    raw, _ = parse_email(metadata)
    found = [need for text in raw.get("requires_dist", []) if not _is_of_extra(text) and (need := requirement(text))]
    python = raw.get("requires_python")
    return [*found, *([python_need("python", python, is_exact=False)] if python else [])]


def _is_of_extra(text: str) -> bool:
    try:
        marker = Requirement(text).marker
    except (InvalidRequirement, RecursionError):
        return True
    return marker is not None and "extra ==" in str(marker)
