"""The event log has a limit for what no deployment limits."""

from __future__ import annotations

import pytest

from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.journal import event_log
from orchestrator.journal.store import Journal


def test_an_app_whose_health_changes_for_ever_does_not_fill_the_disk(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "MOST_OF_NO_DEPLOYMENT", 100)
    journal.append_events([NewEvent(EventKind.LIVE, "shop", "d1", {})])
    for number in range(2500):
        journal.append_events([NewEvent(EventKind.HEALTH, "shop", "", {"health": str(number)})])

    kept = journal.events(limit=10_000)

    assert len(kept) <= 100 + event_log.PRUNED_EVERY + 1
    assert kept[0].kind == EventKind.LIVE, "what belongs to a deployment is kept with it"
    assert kept[-1].fields == {"health": "2499"}
