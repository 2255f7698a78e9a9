"""The orchestrator's events and the client's: two lists of the same kinds and fields, on both sides of the API."""

from __future__ import annotations

import dataclasses

import pytest

from orchestrator.domain import (
    alert,
    backup_events,
    drain_events,
    mute,
    notice,
    outage_events,
    report_events,
    sample_event,
    standby_events,
    undo_events,
    update_events,
)
from orchestrator.domain import events as told
from panel.client import events as read


def types_by_kind() -> dict[str, type[told.Occurrence]]:
    assert drain_events  # imported for their types
    assert update_events
    assert notice
    assert alert
    assert backup_events
    assert mute
    assert report_events
    assert outage_events
    assert sample_event
    assert standby_events
    assert undo_events
    return {str(one.kind): one for one in told.Occurrence.__subclasses__()}


def test_both_sides_have_the_same_kinds_and_each_kind_has_a_type() -> None:
    assert {str(kind) for kind in told.EventKind} == {str(kind) for kind in read.EventKind}
    assert set(types_by_kind()) == {str(kind) for kind in told.EventKind}


@pytest.mark.parametrize("kind", list(told.EventKind))
def test_what_is_told_of_an_event_is_what_the_client_reads(kind: told.EventKind) -> None:
    fields = {field.name for field in dataclasses.fields(types_by_kind()[kind])}

    assert set(read.FIELDS[read.EventKind(kind)].model_fields) == fields
