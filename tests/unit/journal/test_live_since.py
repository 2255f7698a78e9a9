"""A release is live since it got its traffic last: by its deployment, or by a rollback to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.journal.store import Journal

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def record(journal: Journal, id: str, kind: Kind, container: str, hours: int | None) -> None:
    live_at = None if hours is None else NOON + hours * HOUR
    state = State.FAILED if live_at is None else State.LIVE
    journal.add(Deployment(id, "shop", kind, state, "me", NOON, live_at=live_at, container=container))


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_rollback_is_when_the_release_went_live_last(tmp_path: Path, asked_before: bool) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/journal.db")
    record(journal, "d1", Kind.DEPLOY, "one", 0)
    record(journal, "d2", Kind.DEPLOY, "two", 1)
    if asked_before:
        assert (journal.live_since("one"), journal.live_since("two")) == (NOON, NOON + HOUR)

    record(journal, "r1", Kind.ROLLBACK, "one", 2)
    record(journal, "r2", Kind.ROLLBACK, "two", None)
    record(journal, "s1", Kind.RESTORE, "one", 3)

    found = journal.live_since("one"), journal.live_since("two"), journal.live_since("none")
    journal.close()
    assert found == (NOON + 2 * HOUR, NOON + HOUR, None)


def test_by_which_deployment_a_release_went_live_last_is_known_by_numbers(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/journal.db")
    record(journal, "d1", Kind.DEPLOY, "one", 9)
    record(journal, "d2", Kind.DEPLOY, "two", 1)
    record(journal, "r1", Kind.ROLLBACK, "one", 2)
    record(journal, "r2", Kind.ROLLBACK, "two", None)
    record(journal, "s1", Kind.RESTORE, "one", 3)

    number = journal.deployment("r1").number, journal.deployment("d2").number
    found = journal.newest_live("one"), journal.newest_live("two"), journal.newest_live("none")
    journal.close()
    assert found == (*number, 0)
