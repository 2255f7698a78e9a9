"""Commit messages parsed as changes, by Conventional Commits 1.0.0."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.release import Change

_HEADER = re.compile(r"^(?P<kind>[a-zA-Z]+)(\((?P<scope>[^)]*)\))?(?P<bang>!)?:\s*(?P<subject>.+)$")
_FOOTER = re.compile(r"^(?P<token>BREAKING CHANGE|[A-Za-z][A-Za-z0-9-]*)(?::\s+| #)(?P<value>\S.*)$")
_BREAKING = ("BREAKING CHANGE", "BREAKING-CHANGE")
"""The only words of the convention that must be written so (rules 12, 15 and 16)."""
MOST_CHARACTERS = 300
"""A longer first line is shortened: whoever commits decides how long it is."""
FEWEST_DIGITS, MOST_REVERTED = 7, 50
_ALIASES = {"feature": "feat", "bug": "fix", "bugfix": "fix"}
_KINDS = frozenset(["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"])
"""The types of the convention and of the Angular one that it names. Another word before a colon belongs to the text."""
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_REVERT_OF_GIT = re.compile(r'(?:Revert|Reapply) ".+"( \(#\d+\))?')
_COMMITS = re.compile(r"\b[0-9a-f]{7,64}\b")


def parse_commit(revision: str, message: str) -> Change:
    """The change of a commit. Without a Conventional Commits header, `kind` is empty and `subject` the first line.

    So it is with a word before the colon that is no type, such as `auth: mend the login`: only the author knows what it
    says, and it is a part of the sentence. `git revert` writes a header of its own, which is of the kind `revert`.
    """
    header, body = _header_and_body(message)
    breaks = _what_breaks(body)
    match = _HEADER.match(header)
    if not match:
        return Change(revision, "revert" if _is_revert(header) else "", "", header, bool(breaks), breaks)
    word = match["kind"].lower()
    kind = _ALIASES.get(word, word)
    breaking = bool(breaks or match["bang"])
    if kind not in _KINDS:
        return Change(revision, "", "", header, breaking, breaks)
    return Change(revision, kind, match["scope"] or "", match["subject"].strip(), breaking, breaks)


def _header_and_body(message: str) -> tuple[str, str]:
    whole, _, body = message.strip().partition("\n")
    return _shortened(whole), body


def _is_revert(header: str) -> bool:
    match = _HEADER.match(header)
    return match["kind"].lower() == "revert" if match else bool(_REVERT_OF_GIT.fullmatch(header))


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()} (shortened)"


def _what_breaks(body: str) -> str:
    """What the footer BREAKING CHANGE says; empty if there is none. It ends at the next footer (rule 10), or at an
    empty line: what follows that is usually meant for others."""
    found: list[str] = []
    for line in body.splitlines():
        footer = _FOOTER.match(line)
        if found and (footer or not line.strip()):
            break
        if found:
            found.append(line)
        elif footer and footer["token"] in _BREAKING:
            found.append(footer["value"])
    return _shortened(" ".join(" ".join(found).split()))


@dataclass(frozen=True)
class Commit:
    """One commit of a log: its whole name, and its message, which may be cut."""

    revision: str
    message: str


def reverted_by(commit: Commit) -> tuple[str, ...]:
    """The commits that this one says it reverts: as `git revert` writes it, or in the footer `Refs` of a `revert:`."""
    if found := _REVERTS.findall(commit.message):
        return tuple(found)
    header, body = _header_and_body(commit.message)
    if not _is_revert(header):
        return ()
    footers = (_FOOTER.match(line) for line in body.splitlines())
    refs = (footer["value"] for footer in footers if footer and footer["token"].lower() == "refs")
    return tuple(name for value in refs for name in _COMMITS.findall(value))


def without_reverted(newest_first: Iterable[Commit]) -> tuple[list[Commit], int]:
    """The commits that are left when each revert is taken away together with what it reverts, if all of that is among
    them; and how many were taken away. A revert that was reverted takes nothing away."""
    commits = list(newest_first)
    gone: set[str] = set()
    older: dict[str, list[tuple[int, str]]] = {}
    """By their first digits: place and whole name."""
    for at, commit in enumerate(commits):
        older.setdefault(commit.revision[:FEWEST_DIGITS], []).append((at, commit.revision))
    for at, commit in enumerate(commits):
        names = reverted_by(commit)
        if not names or len(names) > MOST_REVERTED or commit.revision in gone:
            continue
        meant = [_older(older, name, at, gone) for name in names]
        if all(meant):
            gone |= {commit.revision, *meant}
    return [one for one in commits if one.revision not in gone], len(gone)


def _older(known: dict[str, list[tuple[int, str]]], name: str, than: int, gone: set[str]) -> str:
    """The whole name of a commit; empty if none before the place `than` has it."""
    same = known.get(name[:FEWEST_DIGITS], ())
    return next((one for at, one in same if at > than and one.startswith(name) and one not in gone), "")
