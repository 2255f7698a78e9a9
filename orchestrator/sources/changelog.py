"""Commit messages parsed as changes, by Conventional Commits 1.0.0."""

from __future__ import annotations

import re

from orchestrator.domain.release import Change

_HEADER = re.compile(r"^(?P<kind>[a-zA-Z]+)(\((?P<scope>[^)]*)\))?(?P<bang>!)?:\s*(?P<subject>.+)$")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE:\s*\S", re.MULTILINE)
MOST_CHARACTERS = 300
"""A longer first line is shortened: whoever commits decides how long it is."""
_ALIASES = {"feature": "feat", "bug": "fix", "bugfix": "fix"}
_KINDS = frozenset(["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"])
"""The types of the convention and of the Angular one that it names. Another word before a colon belongs to the text."""


def parse_commit(revision: str, message: str) -> Change:
    """The change of a commit. Without a Conventional Commits header, `kind` is empty and `subject` the first line.

    So it is with a word before the colon that is no type, such as `auth: mend the login`: only the author knows what it
    says, and it is a part of the sentence.
    """
    whole, _, body = message.strip().partition("\n")
    header = whole if len(whole) <= MOST_CHARACTERS else f"{whole[:MOST_CHARACTERS].rstrip()} (shortened)"
    breaking = bool(_BREAKING.search(body))
    match = _HEADER.match(header)
    if not match:
        return Change(revision, "", "", header, breaking)
    word = match["kind"].lower()
    kind = _ALIASES.get(word, word)
    breaking = breaking or bool(match["bang"])
    if kind not in _KINDS:
        return Change(revision, "", "", header, breaking)
    return Change(revision, kind, match["scope"] or "", match["subject"].strip(), breaking)
