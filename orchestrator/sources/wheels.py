"""Which of a release's wheels an image can install."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from orchestrator.sources.package_index import WHEEL, IndexFile


def best_wheel(files: Iterable[IndexFile], python: str) -> IndexFile | None:
    """The wheel that an installer would take for this version of Python on this machine; None if none fits.

    The images are made for this machine, and have a C library as new as this one's.
    """
    major, minor = map(int, python.split("."))
    platforms = list(platform_tags())
    tags = [
        *cpython_tags((major, minor), platforms=platforms),
        *compatible_tags((major, minor), f"cp{major}{minor}", platforms),
    ]
    order = {tag: number for number, tag in enumerate(tags)}
    ranked = [(min(fits), file) for file in files if (fits := [order[tag] for tag in _tags(file) if tag in order])]
    return min(ranked, key=lambda one: one[0])[1] if ranked else None


def _tags(file: IndexFile) -> Iterable[Tag]:
    if file.kind != WHEEL:
        return ()
    try:
        return parse_wheel_filename(file.name)[3]
    except InvalidWheelFilename:
        return ()
