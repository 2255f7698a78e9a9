"""The order of versions, by Semantic Versioning 2.0.0; of versions that are none of those, by PEP 440."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion
from semver import Version as SemanticVersion

MOST_CHARACTERS = 1000


def compare(one: str, other: str) -> int | None:
    """Negative if `one` comes before `other`, positive if it comes after, 0 if they are as high; None if one of them is
    no version. A `v` in front of a number is not a part of it.

    Python's own order would read the pre-release 1.2.3-4 of Semantic Versioning as one that comes after 1.2.3.
    """
    semantic = _semantic(one), _semantic(other)
    if semantic[0] is not None and semantic[1] is not None:
        return semantic[0].compare(semantic[1])
    python = _python(one), _python(other)
    if python[0] is None or python[1] is None:
        return None
    return (python[0] > python[1]) - (python[0] < python[1])


def newest_first(versions: Iterable[str]) -> list[str]:
    """Those that are versions, ordered: by Semantic Versioning if all of them follow it."""
    found = [version for version in versions if is_version(version)]
    semantic = {version: _semantic(version) for version in found}
    if all(semantic.values()):
        return sorted(found, key=lambda version: semantic[version] or SemanticVersion(0), reverse=True)
    python = {version: parsed for version in found if (parsed := _python(version))}
    return sorted(python, key=lambda version: python[version], reverse=True)


def is_version(text: str) -> bool:
    return compare(text, text) is not None


def is_prerelease(text: str) -> bool:
    semantic, python = _semantic(text), _python(text)
    return bool(semantic.prerelease) if semantic else bool(python and python.is_prerelease)


def is_in(text: str, wanted: SpecifierSet) -> bool:
    """Whether it is a version of the range, as PEP 440 writes ranges. No pre-release of Semantic Versioning is, which
    1.2.3-4 and 1.2.3-alpine are."""
    semantic, python = _semantic(text), _python(text)
    return python is not None and not (semantic and semantic.prerelease) and python in wanted


def _number(text: str) -> str:
    return text[1:] if text[:1] in ("v", "V") and text[1:2].isdigit() else text


def _semantic(text: str) -> SemanticVersion | None:
    try:
        return SemanticVersion.parse(_number(text))
    except ValueError:
        return None


def _python(text: str) -> PythonVersion | None:
    return python_version(_number(text))


def python_version(text: str) -> PythonVersion | None:
    """The version as PEP 440 reads it; None if it is none, or has more than MOST_CHARACTERS characters."""
    try:
        # Python makes no number of more than 4300 digits, and raises another error then.
        return PythonVersion(text) if len(text) <= MOST_CHARACTERS else None
    except InvalidVersion:
        return None
