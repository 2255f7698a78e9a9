"""What a build requires that no package index, registry or package list has: by what pip, uv, npm and apt print."""

from __future__ import annotations

import re
from collections.abc import Callable

MOST_NAMED = 3
"""Of the versions that there are, and of the sentences of a contradiction."""
MOST_OF_UV = 400
"""Characters of what uv explains."""
_PIP_NONE = re.compile(
    r"satisfies the requirement ([^\s(]{1,200})[^\n]{0,500}?\(from versions: ([^\n]{1,6000})\)", re.IGNORECASE
)
_PIP_CONFLICT = re.compile(r"The conflict is caused by:\n((?:[ \t]{2,8}\S[^\n]{0,500}\n){1,20})")
_UV = re.compile(r"No solution found when resolving.{1,200}?(Because .{1,3000}?unsatisfiable\.)", re.DOTALL)
_NPM_NONE = re.compile(r"404 +'(\S{1,200}?)(?:@\*)?' (?:is not in this registry|could not be found)")
_NPM_FOUND = re.compile(r"Found: (\S{1,200})")
_NPM_NEEDS = re.compile(
    r"Could not resolve dependency:\s+(?:npm \S{1,5} )?(?:ERESOLVE )?(?:\w{1,20} )?(\S{1,200})@\"([^\"\n]{1,100})\""
    r" from (\S{1,200})"
)
_APT_NONE = re.compile(
    r"E: (?:Unable to locate package ([^\s'\"]{1,200})|Package '([^'\n]{1,200})' has no installation)"
)


def requirement_tip(said: str) -> str:
    """A tip for the output of a build, without what BuildKit puts before its lines; empty if this is not the cause."""
    return next((tip for one in _KINDS if (tip := one(said))), "")


def _pip_none(said: str) -> str:
    found = _PIP_NONE.search(said)
    if not found:
        return ""
    required, versions = found[1], [one.strip() for one in found[2].split(",")]
    if versions == ["none"]:
        return f"pip finds no package for {required}: correct its name in the requirements, or the index that has it."
    return (
        f"Update requires {required}, and pip finds {_and(versions[-MOST_NAMED:])} as the newest for the image's "
        "Python: correct the requirement, or use a base image with a Python that this version is made for."
    )


def _pip_conflict(said: str) -> str:
    found = _PIP_CONFLICT.search(said)
    if not found:
        return ""
    reasons = [line.strip() for line in found[1].splitlines()][:MOST_NAMED]
    return f"The requirements contradict each other: {'; '.join(reasons)}. Change one of them."


def _uv_explains(said: str) -> str:
    found = _UV.search(said)
    if not found:
        return ""
    why = " ".join(found[1].split())
    why = f"{why[:MOST_OF_UV]}…" if len(why) > MOST_OF_UV else why
    return f"No versions satisfy all requirements. uv says: {why} Change one of them."


def _npm_none(said: str) -> str:
    found = _NPM_NONE.search(said)
    if not found:
        return ""
    return (
        f"npm's registry has no package {found[1]}, or does not give it without a login: correct it in package.json, "
        "or give the build the login."
    )


def _npm_conflict(said: str) -> str:
    there, needs = _NPM_FOUND.search(said), _NPM_NEEDS.search(said)
    if not (there and needs):
        return ""
    return (
        f"The packages contradict each other: {needs[3]} requires {needs[1]} {needs[2]}, and {there[1]} is there. "
        "Change one of their versions in package.json."
    )


def _apt_none(said: str) -> str:
    found = _APT_NONE.search(said)
    if not found:
        return ""
    return (
        f"The package lists of the image have no package {found[1] or found[2]}: run 'apt-get update' in the same RUN, "
        "correct its name, or use a base image of the release that has it."
    )


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


_KINDS: tuple[Callable[[str], str], ...] = (
    _pip_conflict,
    _pip_none,
    _uv_explains,
    _npm_none,
    _npm_conflict,
    _apt_none,
)
