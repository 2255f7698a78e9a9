"""How commits are read by Conventional Commits."""

from __future__ import annotations

import pytest

from orchestrator.sources.changelog import parse_commit


@pytest.mark.parametrize(
    ("message", "kind", "scope", "subject", "breaking"),
    [
        ("feat: add a cart", "feat", "", "add a cart", False),
        ("fix(cart): empty it", "fix", "cart", "empty it", False),
        ("feat(api)!: drop v1", "feat", "api", "drop v1", True),
        ("refactor: tidy\n\nBREAKING CHANGE: the port is 9000", "refactor", "", "tidy", True),
        ("feature: add", "feat", "", "add", False),
        ("bug: mend", "fix", "", "mend", False),
        ("Merge this", "", "", "Merge this", False),
        ("Note: not a type of theirs", "note", "", "not a type of theirs", False),
    ],
)
def test_commits_are_read_by_their_convention(
    message: str, kind: str, scope: str, subject: str, breaking: bool
) -> None:
    change = parse_commit("abc", message)

    assert (change.kind, change.scope, change.subject, change.breaking) == (kind, scope, subject, breaking)
