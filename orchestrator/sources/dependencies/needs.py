"""The packages that the files of one release name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from border.plain import one_line

PYTHON, NPM = "python", "npm"
MOST_CHARACTERS = 100
"""Of a name or a version. A longer one is shortened."""


@dataclass(frozen=True)
class Need:
    """One line of a file. `is_exact`: the version is the one that is installed, not a range that was asked for."""

    ecosystem: str
    name: str
    version: str
    is_exact: bool


@dataclass(frozen=True)
class FileNeeds:
    """What one file names. `includes`: further files, relative to its folder (`-r base.txt`)."""

    needs: tuple[Need, ...] = ()
    includes: tuple[str, ...] = field(default=())


class Unreadable(Exception):
    """A file is not what its name says."""


def python_need(name: str, version: str, *, is_exact: bool) -> Need:
    """A Python package, under its normalized name (PEP 503)."""
    return Need(PYTHON, shown(canonicalize_name(name)), shown(version), is_exact)


def shown(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def versions_of(needs: Iterable[Need]) -> Mapping[tuple[str, str], str]:
    """By ecosystem and name: the exact version, where a file has it, else the range; several separated by commas."""
    exact: dict[tuple[str, str], set[str]] = {}
    asked: dict[tuple[str, str], set[str]] = {}
    for need in needs:
        if need.name:
            (exact if need.is_exact else asked).setdefault((need.ecosystem, need.name), set()).add(need.version)
    return {key: _listed(versions) for key, versions in (asked | exact).items()}


def _listed(versions: set[str]) -> str:
    found = sorted(filter(None, versions), key=_natural)
    return shown(", ".join(found)) if found else "any version"


def _natural(version: str) -> list[tuple[int, int, str]]:
    """Numbers in a text as numbers. int() refuses those of thousands of digits, which `shown` does not let through."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _parts(version)]


def _parts(version: str) -> Iterator[str]:
    yield from re.findall(r"[0-9]+|[^0-9]+", version)


def differences(before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    """Of each package that is not in both in the same version: what was added, removed and changed, by name."""
    return [
        {"ecosystem": key[0], "name": key[1], "before": before.get(key, ""), "after": after.get(key, "")}
        for key in sorted(before.keys() | after.keys(), key=lambda key: (key[1], key[0]))
        if before.get(key) != after.get(key)
    ]
