"""The manifest of an app whose releases are archives on a web server: a JSON file that its maker writes.

One release, or several in `releases`:

    {"version": "1.2.3", "sha256": "…", "released_at": "2026-11-26T10:00:00Z", "size": 123456,
     "changelog": ["feat: a cart that survives a restart", "fix: till"], "signature": "…"}
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, FailFast, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, from_json

from orchestrator.domain.changelog import MOST_CHANGES
from orchestrator.domain.invalid_values import why_invalid
from orchestrator.errors import StepFailed

MOST_OF_MANIFEST = 4 * 2**20
"""Bytes. It is read on the event loop, in some tens of milliseconds."""
REMEDY = "See docs/archives.md for what it must contain, and correct it on the server."
MOST_RELEASES = 1000
MOST_LINES = MOST_CHANGES
"""Of the changelog of a release; more are counted."""

_VERSION = r"^[A-Za-z0-9][A-Za-z0-9._+!-]{0,99}$"
_SHA256 = r"^[0-9a-fA-F]{64}$"
FORMS = {
    _VERSION: "a version such as 1.2.3: at most 100 letters, digits and . _ + ! -, the first a letter or digit",
    _SHA256: "the SHA-256 of the archive, 64 digits from 0 to 9 and a to f, as sha256sum prints them",
}
"""What the patterns mean, for people."""


class ArchivedRelease(BaseModel):
    """`sha256` and `size` (in bytes) are those of the archive. `signature`: its minisign signature, as text.

    `changelog`: the first MOST_LINES lines, as long as they are: whoever shows one takes secrets out before shortening
    it. `lines_left_out`: how many more there are.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    version: Annotated[str, Field(pattern=_VERSION)]
    sha256: Annotated[str, Field(pattern=_SHA256)]
    size: Annotated[int, Field(ge=0)] | None = None
    released_at: AwareDatetime | None = None
    changelog: Annotated[tuple[str, ...], FailFast()] = ()
    lines_left_out: int = 0
    signature: Annotated[str, Field(max_length=4000)] = ""

    @model_validator(mode="before")
    @classmethod
    def _changelog_may_be_a_text_and_long(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        lines = value.get("changelog", [])
        if isinstance(lines, str):
            lines = [line.strip().removeprefix("- ").removeprefix("* ") for line in lines.splitlines() if line.strip()]
        left_out = max(0, len(lines) - MOST_LINES) if isinstance(lines, list) else 0
        return {**value, "changelog": lines[:MOST_LINES] if left_out else lines, "lines_left_out": left_out}


class _Several(BaseModel):
    model_config = ConfigDict(extra="ignore")
    # Of all that is wrong one sentence is said: two million errors take half a minute.
    releases: Annotated[tuple[ArchivedRelease, ...], FailFast(), Field(min_length=1, max_length=MOST_RELEASES)]


def _names_several(content: bytes) -> bool:
    """Whether it has `releases` itself, and not in a field that is ignored. What is no JSON is said by who reads it."""
    try:
        found = from_json(content)
    except ValueError:
        return False
    return isinstance(found, dict) and "releases" in found


def read_manifest(content: bytes, where: str) -> tuple[ArchivedRelease, ...]:
    """The releases that a manifest names, in its order. `where`: its address. Raises StepFailed with what is wrong."""
    try:
        if _names_several(content):
            return _Several.model_validate_json(content).releases
        return (ArchivedRelease.model_validate_json(content),)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise StepFailed(f"{where} is not a manifest: {_why(first)}.", REMEDY) from error


def _why(error: ErrorDetails) -> str:
    if error["type"] == "json_invalid":
        return f"it is no JSON ({error['ctx']['error']})"
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {why_invalid(error, FORMS)}" if place else why_invalid(error, FORMS)
