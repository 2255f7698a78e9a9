"""Sessions of the panel in the journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.domain.access import PanelSession, Scope
from orchestrator.journal.store import Journal
from orchestrator.journal.tokens import digest_of

MOMENT = datetime(2126, 11, 25, tzinfo=UTC)
"""Of the first session. The others are opened one second after another."""


def opened(journal: Journal, number: int, token: str) -> list[str]:
    """Open a session, where two a token and three in all are the most. Returns the names of those that ended."""
    at = MOMENT + timedelta(seconds=number)
    session = PanelSession("", token, "127.0.0.1", at, at, at + timedelta(days=7))
    ended = journal.add_panel_session(f"s{number}", session, most_of_token=2, most=3)
    return [name for name in (f"s{one}" for one in range(9)) if digest_of(name) in ended]


def test_of_too_many_sessions_the_least_recently_used_ones_end(journal: Journal) -> None:
    for name in ("ci", "ann", "bob"):
        journal.add_token(name, name, Scope.READ)

    ended = [opened(journal, number, token) for number, token in enumerate(["ci", "ci", "ci", "ann", "bob", "bob"])]

    assert ended == [[], [], ["s0"], [], ["s1"], ["s2"]]
    valid = [f"s{n}" for n in range(6) if (one := journal.panel_session(f"s{n}")) and one.ended_at is None]
    assert valid == ["s3", "s4", "s5"]
