"""The order of versions, by Semantic Versioning 2.0.0; of versions that are none of those, by PEP 440.

All versions have one order, in which those of each scheme have the order of their scheme: each is given a key, and keys
are compared. Two comparisons by two schemes would contradict each other: by Semantic Versioning 1.2.3-4 comes before
1.2.3, by PEP 440, where it is the post-release 1.2.3.post4, after 1.2.3.0, which is as high as 1.2.3.

By Semantic Versioning 1.2.3-9-g2c81a04 would be a pre-release, too, and come after 1.2.3-10-g0a1b2c3. It is what
git-describe(1) calls the ninth commit after 1.2.3, and CI jobs label images and archives so: it comes after 1.2.3, by
the number of commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion
from semver import Version as SemanticVersion

MOST_CHARACTERS = 1000
_DEVELOPMENT, _BEFORE, _FROM = range(3)
"""What a version is of its release: a development one before all pre-releases, a pre-release, or it or a later one."""
_NAMES = {"a": "alpha", "b": "beta", "rc": "rc"}
"""Of the pre-releases of PEP 440, as Semantic Versioning's examples have them: 1.0rc2 is as high as 1.0.0-rc.2."""

Scheme = Literal["semver", "pep440", "commit"]
"""By Semantic Versioning, and by PEP 440 what it does not know; by PEP 440 alone; or not by names at all."""
SEMVER: Scheme = "semver"
PEP440: Scheme = "pep440"
COMMIT: Scheme = "commit"
Identifiers = tuple[tuple[int, int, str], ...]
Key = tuple[int, tuple[int, ...], int, Identifiers, PythonVersion, int]
_DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<commits>\d{1,9})-g(?P<commit>[0-9a-f]{4,64})(?:-dirty)?")


def compare(one: str, other: str, scheme: Scheme = SEMVER) -> int | None:
    """Negative if `one` comes before `other`, positive if it comes after, 0 if they are as high; None if one of them is
    no version, or both are as many commits after the same tag, but not the same commit. A `v` in front of a number is
    not a part of it.

    Python's own order would read the pre-release 1.2.3-4 of Semantic Versioning as one that comes after 1.2.3.
    """
    left, right = _key(one, scheme), _key(other, scheme)
    if left is None or right is None or (left == right and described_commit(one) != described_commit(other)):
        return None
    return (left > right) - (left < right)


def described_commit(version: str) -> str:
    """The commit that a version of git-describe(1) names, abbreviated; empty if it is none."""
    found = _described(version)
    return found["commit"] if found else ""


def tag_of(version: str) -> str:
    """Of a version of git-describe(1) the tag before the commit; any other one as it is."""
    found = _described(version)
    return found["tag"] if found else version


def newest_first(versions: Iterable[str], scheme: Scheme = SEMVER) -> list[str]:
    """Those that are versions, ordered as `compare` says."""
    found = [(key, version) for version in versions if (key := _key(version, scheme)) is not None]
    return [version for _, version in sorted(found, key=lambda one: one[0], reverse=True)]


def is_version(text: str, scheme: Scheme = SEMVER) -> bool:
    return _key(text, scheme) is not None


def is_prerelease(text: str, scheme: Scheme = SEMVER) -> bool:
    semantic, python = _semantic(text) if scheme == SEMVER else None, _python(text)
    return bool(semantic.prerelease) if semantic else bool(python and python.is_prerelease)


def is_in(text: str, wanted: SpecifierSet) -> bool:
    """Whether it is a version of the range, as PEP 440 writes ranges. No pre-release of Semantic Versioning is, which
    1.2.3-4 and 1.2.3-alpine are, unless the range names exactly this one."""
    semantic, python = _semantic(text), _python(text)
    if semantic and semantic.prerelease and not any(_names(one, text) for one in wanted):
        return False
    # Said, not left open: a range that names no pre-release would take any.
    return python is not None and wanted.contains(python, prereleases=bool(wanted.prereleases))


def _names(one: Specifier, text: str) -> bool:
    return one.operator in ("==", "===") and compare(one.version, text) == 0


def _key(text: str, scheme: Scheme) -> Key | None:
    """What orders a version: epoch, release without zeros at its end, what it is of that release, the identifiers of a
    pre-release, what is left of it to PEP 440 (`.post1`, `.dev2`, `+local`), and the commits after it."""
    if scheme == COMMIT:
        return None
    if scheme == SEMVER and (described := _described(text)):
        tag = _key(described["tag"], scheme)
        return (*tag[:-1], int(described["commits"])) if tag else None
    if scheme == SEMVER and (semantic := _semantic(text)) is not None:
        return _semantic_key(semantic)
    if (python := _python(text)) is not None:
        return _python_key(python)
    return None


def _semantic_key(version: SemanticVersion) -> Key:
    release = (version.major, version.minor, version.patch)
    plain = PythonVersion(".".join(map(str, release)))
    if not version.prerelease:
        return 0, _without_zeros(release), _FROM, (), plain, 0
    identifiers = tuple(_identifier(one) for one in version.prerelease.split("."))
    # Nothing but the identifiers orders it; versions of PEP 440 that have the same ones are compared with their own.
    first, *more = identifiers
    letter = next((one for one, name in _NAMES.items() if name == first[2]), "")
    is_shared = letter and len(more) == 1 and not more[0][2]
    rest = PythonVersion(f"{plain}{letter}{more[0][1]}") if is_shared else plain
    return 0, _without_zeros(release), _BEFORE, identifiers, rest, 0


def _python_key(version: PythonVersion) -> Key:
    release = _without_zeros(version.release)
    if version.pre:
        letter, number = version.pre
        identifiers = (_identifier(_NAMES[letter]), (0, number, ""))
        return version.epoch, release, _BEFORE, identifiers, version, 0
    is_development = version.dev is not None and version.post is None
    return version.epoch, release, _DEVELOPMENT if is_development else _FROM, (), version, 0


def _identifier(text: str) -> tuple[int, int, str]:
    """Numbers come before words (item 11.4.3)."""
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


def _without_zeros(release: tuple[int, ...]) -> tuple[int, ...]:
    """1.0 is as high as 1.0.0."""
    kept = len(release)
    while kept and not release[kept - 1]:
        kept -= 1
    return release[:kept]


def _number(text: str) -> str:
    return text[1:] if text[:1] in ("v", "V") and text[1:2].isdigit() else text


def _described(text: str) -> re.Match[str] | None:
    return _DESCRIBED.fullmatch(text) if len(text) <= MOST_CHARACTERS else None


def _semantic(text: str) -> SemanticVersion | None:
    try:
        return SemanticVersion.parse(_number(text)) if len(text) <= MOST_CHARACTERS else None
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
