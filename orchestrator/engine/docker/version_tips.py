"""What a build that fails for a version requires, and what the image has: by what pip, uv, npm and apt print."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from orchestrator.engine.docker.requirement_tips import requirement_tip

_STEP = re.compile(r"^#\d+ \d+\.\d+ ", re.MULTILINE)
"""What BuildKit puts before each line of a step."""
_PIP = re.compile(r"Package '([^'\n]{1,200})' requires a different Python: ([\w.+-]{1,50}) not in '([^'\n]{1,200})'")
_UV = re.compile(
    r"the current Python version \(([\w.+-]{1,50})\)\s+does\s+not\s+satisfy\s+"
    r"Python([<>=!~][^\s]{1,100})\s+and\s+(\S{1,200})"
)
_UV_NO_PYTHON = re.compile(r"No interpreter found for Python ([\w.<>=!~, ]{1,100}?) in ")
_PIP_NONE = re.compile(r"satisfies the requirement ([\w.-]{1,200})==([\w.+!-]{1,100})")
_FROM_PYTHON = re.compile(r"FROM \S{0,300}python:(3\.[\d.]{1,10})")
_NPM = re.compile(r"Required:\s*(\{[^\n]{1,500}\})[^\n]*\n[^\n]*Actual:\s*(\{[^\n]{1,500}\})")
_NPM_NONE = re.compile(r"No matching version found for (\S{1,200}?)\.(?:\s|$)")
_APT_NONE = re.compile(r"E: Version '([^'\n]{1,100})' for '([^'\n]{1,200})' was not found")
_APT = re.compile(r"(?<!\S)(\S{1,200}) : Depends: (\S{1,200}) \(([^)\n]{1,100})\) but (\S{1,100}) is to be installed")
_LEAST = re.compile(r">=\s*v?([\w.~+:-]+)")
_PROGRAMS = {"node": "Node.js", "npm": "npm"}


def version_tip(text: str) -> str:
    """A tip for the output of a build; empty if no version is the cause."""
    said = _STEP.sub("", text)
    return next((tip for one in _KINDS if (tip := one(said))), "")


def _pip(said: str) -> str:
    found = _PIP.search(said)
    return _python(found[1], found[3], found[2]) if found else ""


def _uv(said: str) -> str:
    found = _UV.search(said)
    return _python(found[3], found[2], found[1]) if found else ""


def _uv_no_python(said: str) -> str:
    found = _UV_NO_PYTHON.search(said)
    image = _FROM_PYTHON.search(said)
    return _python("by its pyproject.toml or uv", found[1], image[1] if image else "") if found else ""


def _pip_ignored(said: str) -> str:
    """pip leaves out versions for other Pythons, and says which ones; the image's own it does not say."""
    wanted = _PIP_NONE.search(said)
    if not wanted:
        return ""
    required = re.search(rf"(?<![\w.]){re.escape(wanted[2])} Requires-Python ([^;\n]{{1,100}})", said)
    image = _FROM_PYTHON.search(said)
    return _python(f"{wanted[1]}=={wanted[2]}", required[1].strip(), image[1] if image else "") if required else ""


def _python(package: str, required: str, has: str) -> str:
    there = f"The image has {has}" if has else "The image has another one"
    return (
        f"Update requires Python {_at_least(required)} ({package}). {there}: use a base image with such a Python, or a "
        "version of the package for this one."
    )


def _npm(said: str) -> str:
    found = _NPM.search(said)
    if not found:
        return ""
    try:
        required, actual = json.loads(found[1]), json.loads(found[2])
    except ValueError:
        return ""
    names = [one for one in _PROGRAMS if one in required]
    if not names or not any(one in actual for one in _PROGRAMS):
        return ""
    # Which of them does not fit is not said; Debian's npm does not say either which Node.js there is.
    wants = " and ".join(f"{_PROGRAMS[one]} {_at_least(str(required[one]))}" for one in names)
    has = [f"{_PROGRAMS[one]} {str(actual[one]).removeprefix('v')}" for one in names if one in actual]
    if len(names) == 1:
        has = [one.rpartition(" ")[2] for one in has]
    there = " and ".join(has) or "another one"
    return f"Update requires {wants}. The image has {there}: use a base image with such a version."


def _npm_none(said: str) -> str:
    found = _NPM_NONE.search(said)
    return f"npm has no version {found[1]}: correct it in package.json, or publish it." if found else ""


def _apt(said: str) -> str:
    found = _APT.search(said)
    if not found:
        return ""
    return (
        f"{found[1]} requires {found[2]} {_at_least(found[3])}. The image has {found[4]}: use a base image of the "
        f"release that {found[1]} is made for, or the version of this one."
    )


def _apt_none(said: str) -> str:
    found = _APT_NONE.search(said)
    if not found:
        return ""
    return (
        f"The package lists of the image have no version {found[1]} of {found[2]}: run 'apt-get update' in the same "
        "RUN, correct the version, or use a base image of the release that has it."
    )


def _at_least(required: str) -> str:
    """`>=3.9` is `3.9+`; what is more is as it is."""
    found = _LEAST.fullmatch(required.strip())
    return f"{found[1]}+" if found else required


_KINDS: tuple[Callable[[str], str], ...] = (
    _pip,
    _uv,
    _uv_no_python,
    _pip_ignored,
    _npm,
    _npm_none,
    _apt,
    _apt_none,
    requirement_tip,
)
