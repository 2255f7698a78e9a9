"""What `changeover migrate status` says that an app's data has."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.api.migrations import known, not_known
from orchestrator.app_data.migrations import Schema
from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.domain.schema_history import NOT_REPORTED, Direction, Outcome, SchemaRevision, newest_run
from orchestrator.domain.schema_report import report, reported
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

ONE, TWO, THREE = SchemaRevision("0001", "base"), SchemaRevision("0002", "0001"), SchemaRevision("0003", "0002")
TWO_ON_RECORD = SchemaRevision("0002", "0001", compatible=False, says="Sold by")


@pytest.mark.parametrize(
    ("schema", "recorded", "has"),
    [
        (None, (ONE,), ["0001"]),
        (Schema(), (), []),
        # Applied before Changeover came: the app says so itself, or by what its first pending migration begins with.
        (Schema((ONE, TWO), (THREE,)), (), ["0001", "0002"]),
        (Schema((), (THREE,)), (), ["0002"]),
        (Schema((), (THREE,)), (ONE, TWO), ["0001", "0002"]),
        (Schema((), (ONE,)), (), []),
        # Reverted by hand: the app knows better than the record.
        (Schema((ONE,), (TWO,)), (ONE, TWO), ["0001"]),
    ],
)
def test_what_the_app_reports_counts_also_if_it_was_applied_before_changeover_came(
    schema: Schema | None, recorded: tuple[SchemaRevision, ...], has: list[str]
) -> None:
    assert [one.revision for one in known(schema, recorded)] == has


SQUASHED = SchemaRevision("0003_squashed", "base")
ALL = (ONE, TWO, THREE)


@pytest.mark.parametrize(
    ("schema", "recorded", "newer", "beyond"),
    [
        # An older release, deployed on the data of a newer one.
        (Schema((ONE,)), ALL, (), ["0002", "0003"]),
        (Schema((ONE,), (SchemaRevision("0002b", "0001"),)), ALL, (), ["0002", "0003"]),
        # After a rollback the journal says it, and no status command.
        (Schema(ALL), ALL, (TWO, THREE), ["0002", "0003"]),
        (None, ALL, (THREE,), ["0003"]),
        # It knows them all: pending, as after a revert by hand, or before the last one, the only one that is named.
        (Schema(ALL), ALL, (), []),
        (Schema((ONE,), (TWO,)), (ONE, TWO), (), []),
        (Schema((THREE,)), ALL, (), []),
        # Squashed or renamed on purpose: the names on record are not those of the release.
        (Schema((SQUASHED,)), ALL, (), ["0001", "0002", "0003"]),
        # Nothing is reported as applied: what the release knows is not known.
        (Schema((), ()), ALL, (), []),
        (None, ALL, (), []),
        # A name that Changeover has given is not that of a migration.
        (Schema((ONE,)), (ONE, SchemaRevision("v2", "0001", says=NOT_REPORTED)), (), []),
        # Names that go round in a circle end.
        (Schema((SchemaRevision("0001", "0002"),)), (SchemaRevision("0002", "0001"), THREE), (), ["0003"]),
    ],
)
def test_what_is_on_record_and_not_known_to_the_live_release_is_told_apart(
    schema: Schema | None,
    recorded: tuple[SchemaRevision, ...],
    newer: tuple[SchemaRevision, ...],
    beyond: list[str],
) -> None:
    assert [one.revision for one in not_known(schema, recorded, newer)] == beyond


def test_the_record_adds_its_details() -> None:
    assert known(Schema((ONE, TWO)), (TWO_ON_RECORD,)) == (ONE, TWO_ON_RECORD)


def test_a_revision_that_is_reported_as_applied_is_not_pending() -> None:
    line = 'changeover: {"revision": "0002", "previous": "0001", "applied": true}'

    found = report(line)

    assert found is not None
    assert found.revision_alone == TWO
    assert reported(line) is None


async def test_what_a_newer_release_applied_is_not_left_out_when_an_older_one_is_live(api: Api) -> None:
    orchestrator, journal = api.orchestrator, api.orchestrator.journal
    migrating = SHOP + "    run: {data: /data}\n    migrate: {command: up, status: status}\n"
    orchestrator.apps.take(loader.parse(migrating, "c.yaml").config)
    for number, version in ((1, "v2.0"), (2, "v1.0")):
        release = Release(version, f"{number}" * 40, version)
        one = Deployment(f"d{number}", "shop", Kind.DEPLOY, State.LIVE, "me", now(), release=release)
        journal.add(dataclasses.replace(one, colour=Colour.BLUE, live_at=now()))
    journal.migration_ended(journal.migration_started("shop", "d1", Direction.UP), Outcome.DONE, ALL)
    older = dataclasses.replace(journal.deployment("d2"), known_run=newest_run(journal.migrations("shop")))
    journal.save_switch("shop", Slots(active="d2"), older)
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.images["v1.0"] = []
    engine.says_of_status = ('changeover: {"revision": "0001", "previous": "base", "applied": true}',)

    found: Any = await api.json("GET", "/v1/apps/shop/migrations", api.token(Scope.READ))

    assert found["problem"] == ""
    assert (found["live"], [one["revision"] for one in found["applied"]]) == ("v1.0", ["0001"])
    assert [(one["revision"], one["by"]) for one in found["not_known"]] == [("0002", "v2.0"), ("0003", "v2.0")]
    assert found["pending"] == []


async def test_before_the_first_release_is_live_nobody_is_told_to_set_a_status_command(api: Api) -> None:
    """`migrate.status` was said not to be set, although it was: it has no release in whose image it could run."""
    migrating = SHOP + "    run: {data: /data}\n    migrate: {command: up, status: status}\n"
    api.orchestrator.apps.take(loader.parse(migrating, "c.yaml").config)

    found: Any = await api.json("GET", "/v1/apps/shop/migrations", api.token(Scope.READ))

    assert (found["pending"], found["live"]) == (None, "")
    assert found["problem"].startswith("No release of shop is live")
