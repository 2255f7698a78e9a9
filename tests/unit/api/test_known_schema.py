"""What `changeover migrate status` says that an app's data has."""

from __future__ import annotations

import pytest

from orchestrator.api.migrations import known
from orchestrator.app_data.migrations import Schema
from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.domain.schema_report import report, reported

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


def test_the_record_adds_its_details() -> None:
    assert known(Schema((ONE, TWO)), (TWO_ON_RECORD,)) == (ONE, TWO_ON_RECORD)


def test_a_revision_that_is_reported_as_applied_is_not_pending() -> None:
    line = 'changeover: {"revision": "0002", "previous": "0001", "applied": true}'

    found = report(line)

    assert found is not None
    assert found.revision_alone == TWO
    assert reported(line) is None
