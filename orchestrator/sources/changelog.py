"""Commit messages parsed as changes, by Conventional Commits 1.0.0."""

from __future__ import annotations

import re

from orchestrator.domain.release import Change

_HEADER = re.compile(r"^(?P<kind>[a-zA-Z]+)(\((?P<scope>[^)]*)\))?(?P<bang>!)?:\s*(?P<subject>.+)$")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE:\s*\S", re.MULTILINE)
MOST_CHARACTERS = 300
"""A longer first line is shortened: whoever commits decides how long it is."""
_ALIASES = {"feature": "feat", "bug": "fix", "bugfix": "fix"}


def parse_commit(revision: str, message: str) -> Change:
    """The change of a commit. Without a Conventional Commits header, `kind` is empty and `subject` the first line."""
    whole, _, body = message.strip().partition("\n")
    header = whole if len(whole) <= MOST_CHARACTERS else f"{whole[:MOST_CHARACTERS].rstrip()} (shortened)"
    breaking = bool(_BREAKING.search(body))
    match = _HEADER.match(header)
    if not match:
        return Change(revision, "", "", header, breaking)
    kind = match["kind"].lower()
    return Change(
        revision,
        _ALIASES.get(kind, kind),
        match["scope"] or "",
        match["subject"].strip(),
        breaking or bool(match["bang"]),
    )
