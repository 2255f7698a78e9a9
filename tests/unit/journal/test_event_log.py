"""The event log has a limit for what no deployment limits."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from orchestrator.domain.deployment import StepName
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.errors import JournalError
from orchestrator.journal import event_log
from orchestrator.journal.store import Journal
from tests.component.test_journal import deployment


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


def test_an_event_and_its_record_are_written_both_or_neither(journal: Journal) -> None:
    journal.add(deployment(1))
    built = NewEvent(EventKind.STEP, "shop", "d1", {"step": "build"})

    def refused() -> None:
        journal.step_started("d1", StepName.BUILD)
        raise JournalError("The disk is full.", "Make room.")

    with pytest.raises(JournalError):
        journal.append_events([built], refused)
    assert (journal.events(), journal.deployment("d1").steps, journal.recorded("d1").steps) == ([], (), ())

    of_no_kind = NewEvent(None, "shop", "d1", {})  # type: ignore[arg-type]  # the database refuses it
    with pytest.raises(sa.exc.IntegrityError):
        journal.append_events([of_no_kind], lambda: journal.step_started("d1", StepName.BUILD))
    assert (journal.events(), journal.deployment("d1").steps, journal.recorded("d1").steps) == ([], (), ())

    journal.append_events([built], lambda: journal.step_started("d1", StepName.BUILD))
    assert len(journal.events()) == 1
    assert [step.name for step in journal.deployment("d1").steps] == [StepName.BUILD]
    assert journal.deployment("d1") == journal.recorded("d1")


def test_an_event_with_its_record_is_one_commit(journal: Journal) -> None:
    journal.add(deployment(1))
    commits: list[object] = []
    sa.event.listen(journal._engine, "commit", commits.append)

    def record() -> None:
        journal.save(deployment(1))
        journal.step_started("d1", StepName.BUILD)

    journal.append_events([NewEvent(EventKind.STEP, "shop", "d1", {})], record)

    assert len(commits) == 1
