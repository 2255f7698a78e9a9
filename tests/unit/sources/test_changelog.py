"""How commits are read by Conventional Commits."""

from __future__ import annotations

import pytest

from orchestrator.sources.changelog import MOST_CHARACTERS, parse_commit


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
        ("docs: say more", "docs", "", "say more", False),
        ("CI: run it", "ci", "", "run it", False),
        ("Note: not a type of theirs", "", "", "Note: not a type of theirs", False),
        ("fourth: say four", "", "", "fourth: say four", False),
        ("auth: mend the login", "", "", "auth: mend the login", False),
        ("auth(web)!: mend the login", "", "", "auth(web)!: mend the login", True),
    ],
)
def test_commits_are_read_by_their_convention(
    message: str, kind: str, scope: str, subject: str, breaking: bool
) -> None:
    change = parse_commit("abc", message)

    assert (change.kind, change.scope, change.subject, change.breaking) == (kind, scope, subject, breaking)


@pytest.mark.parametrize(
    "header", ["x" * 10**6, f"feat: {'x' * 10**6}", f"feat({'x' * 10**6}): y", "f" * 10**6 + ": y"]
)
def test_a_change_is_short_whatever_its_commit_says(header: str) -> None:
    """Each is a part of `status` and of the journal for as long as its release is an update or has a deployment."""
    change = parse_commit("a1b2c3d", f"{header}\n\nBREAKING CHANGE: all of it\n")

    assert len(change.kind) + len(change.scope) + len(change.subject) <= MOST_CHARACTERS + len(" (shortened)")
    assert change.breaking
