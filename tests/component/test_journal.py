"""The journal in memory, which unit tests use, says what the real one says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepState
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.domain.in_hand import InHand
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision
from orchestrator.domain.unsettled import Unsettled
from orchestrator.errors import UnknownDeployment
from orchestrator.journal.store import Journal
from tests.support.fakes.memory_journal import MemoryJournal

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
REVISIONS = (SchemaRevision("0001", "base"), SchemaRevision("0002", "0001", compatible=False))


def deployment(number: int, **more: Any) -> Deployment:
    return Deployment(
        f"d{number}", "shop", Kind.DEPLOY, State.LIVE, "me", MOMENT - timedelta(days=number),
        release=Release(f"v{number}", f"{number:040}", f"sha256:{number}"), colour=Colour.BLUE, container=f"c{number}",
        changes=(Change("abc", "feat", "", "more"),), live_at=MOMENT, **more,
    )  # fmt: skip


def write(journal: Journal) -> None:
    journal.add(deployment(1, ended_at=MOMENT))
    journal.add(deployment(2), "a key")
    journal.add(replace(deployment(3), state=State.QUEUED, live_at=None))
    for name in (StepName.SWITCH, StepName.BUILD):
        journal.step_started("d2", name)
    journal.step_ended("d2", StepName.BUILD, StepState.FAILED, "a note")
    journal.save_switch("shop", Slots("d2", "d1"), replace(deployment(1), state=State.ROLLED_BACK, ended_at=MOMENT))
    journal.save(replace(deployment(2), backup="b1", paused_backup="b2", cut=InHand(websockets=2)))
    journal.leave("shop", Unsettled("d1", MOMENT, "0003 stands.", "Restore.", "b0"))
    journal.leave("shop", Unsettled("d2", MOMENT, "0004 stands.", "Restore.", "b1"))
    journal.leave("blog", Unsettled("d2", MOMENT, "0004 stands.", "Restore.", "b1"))
    journal.settle("blog")
    journal.settle("nobody")
    run = journal.migration_started("shop", "d2", Direction.UP, REVISIONS[:1])
    journal.migration_ended(run, Outcome.DONE, REVISIONS, "went well")
    journal.migration_started("shop", "d2", Direction.RESTORED, as_of=MOMENT)
    journal.add_migration(
        MigrationRun(0, "shop", "d1", Direction.DOWN, REVISIONS[1:], Outcome.DONE, MOMENT, MOMENT, "rebuilt")
    )
    line: dict[str, object] = {"line": "said"}
    journal.append_events([NewEvent(EventKind.LINE, "shop", one, line) for one in ("d1", "d2", "d3")])
    journal.append_events([NewEvent(EventKind.ENDED, "shop", "d1", {"state": "live"})])
    journal.append_events([NewEvent(EventKind.OUTAGE, app, "", {"health": "stopped"}) for app in ("shop", "blog")])
    journal.append_events([NewEvent(EventKind.OUTAGE_OVER, "shop", "", {}), NewEvent(EventKind.HEALTH, "shop", "", {})])
    journal.add(replace(deployment(4), kind=Kind.ROLLBACK))
    journal.forget_output("shop", keep=1)
    journal.migration_never_began(journal.migration_started("shop", "d4", Direction.UP))


OUTAGES = (EventKind.OUTAGE, EventKind.OUTAGE_OVER)
READS: dict[str, Callable[[Journal], Any]] = {
    "one": lambda journal: journal.deployment("d2"),
    "all": lambda journal: journal.deployments("shop"),
    "the newest": lambda journal: journal.deployments("shop", limit=1),
    "the next page": lambda journal: journal.deployments("shop", limit=1, before=3),
    "of another app": lambda journal: journal.deployments("blog"),
    "unfinished": lambda journal: journal.unfinished(),
    "by key": lambda journal: journal.with_key("shop", "a key"),
    "by an unknown key": lambda journal: journal.with_key("shop", "another"),
    "by the key of another app": lambda journal: journal.with_key("blog", "a key"),
    "attempts": lambda journal: journal.attempts("shop"),
    "maker": lambda journal: journal.maker_of("c1"),
    "slots": lambda journal: journal.slots("shop"),
    "no slots": lambda journal: journal.slots("blog"),
    "migrations": lambda journal: journal.migrations("shop"),
    "what is unsettled": lambda journal: journal.unsettled("shop"),
    "what was settled": lambda journal: journal.unsettled("blog"),
    "events": lambda journal: journal.events(),
    "events of one": lambda journal: journal.events(after=1, deployment_id="d1"),
    "with an event": lambda journal: journal.with_event(["d1", "d3", "d9"], {EventKind.ENDED, EventKind.LIVE}),
    "of none with an event": lambda journal: journal.with_event([], {EventKind.ENDED}),
    "the newest event of each app": lambda journal: journal.newest_of_each_app(OUTAGES),
    "the newest events of one": lambda journal: journal.newest_events(OUTAGES, "shop", limit=1),
    "the newest events of none": lambda journal: journal.newest_events(OUTAGES),
    "the last event": lambda journal: journal.last_event_id() > 0,
}


def comparable(found: Any) -> Any:
    """Without what is the moment of writing, and without ids of events, which begin where they like."""
    match found:
        case list() | tuple():
            return [comparable(one) for one in found]
        case Deployment():
            steps = [(step.name, step.state, step.note, step.ended_at is None) for step in found.steps]
            return (replace(found, steps=()), steps)
        case MigrationRun():
            return (found.direction, found.revisions, found.outcome, found.note, found.as_of, found.ended_at is None)
        case _ if hasattr(found, "fields"):
            return (found.kind, found.app, found.deployment, found.fields)
    return found


@pytest.mark.parametrize("read", READS)
def test_the_journal_in_memory_answers_as_the_real_one(read: str, tmp_path: Path) -> None:
    real, fake = Journal(f"sqlite:///{tmp_path / 'journal.db'}"), MemoryJournal()
    for journal in (real, fake):
        write(journal)

    assert comparable(READS[read](fake)) == comparable(READS[read](real))


def test_the_order_is_that_of_the_requests_whatever_the_clock_said(tmp_path: Path) -> None:
    for journal in (Journal(f"sqlite:///{tmp_path / 'journal.db'}"), MemoryJournal()):
        write(journal)

        assert [one.id for one in journal.deployments("shop")] == ["d4", "d3", "d2", "d1"]
        assert [one.id for one in journal.unfinished()] == ["d4", "d3", "d2"]
        assert [one.deployment for one in journal.attempts("shop")] == ["d3", "d2", "d1"]


def test_both_know_no_deployment_that_was_never_added(tmp_path: Path) -> None:
    for journal in (Journal(f"sqlite:///{tmp_path / 'journal.db'}"), MemoryJournal()):
        with pytest.raises(UnknownDeployment):
            journal.deployment("nobody")
        with pytest.raises(UnknownDeployment):
            journal.maker_of("nothing")
