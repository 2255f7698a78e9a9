"""Events as values: each kind has its type, and what this client does not know is not an error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from panel.client import events
from panel.client.client import Client
from panel.client.events import DECIDED, FIELDS, LAST, NOT_LIVE, WENT_WELL, Event, EventKind, read_fields
from tests.support.api_answers import NOW, Events
from tests.support.fakes.api import FakeApi


@pytest.mark.parametrize(
    ("kind", "fields", "what"),
    [
        ("queued", {"by": "ci"}, events.Queued(by="ci")),
        ("step", {"step": "build", "state": "running"}, events.Step(step="build", state="running")),
        ("line", {"line": "#7 DONE"}, events.Line(line="#7 DONE")),
        ("live", {"seconds": 1.5, "paused": 0.2}, events.Live(seconds=1.5, paused=0.2)),
        ("live", {"seconds": None, "colour": "blue", "held": 0.2}, events.Live(colour="blue", paused=0.2)),
        ("cancelled", {}, events.Cancelled()),
        ("restored", {"backup": "b1", "held": 1}, events.Restored(backup="b1", paused=1)),
        ("config_refused", {"problems": ["a:1: no"]}, events.ConfigRefused(problems=("a:1: no",))),
        ("live", {"colour": "blue", "canary_weight": 5}, events.Live(colour="blue")),
        ("eclipsed", {"by": "the moon"}, events.Unknown()),
        ("step", {"step": ["not", "a", "name"]}, events.Unknown()),
    ],
)  # fmt: skip
def test_fields_are_read_as_the_type_of_their_kind(kind: str, fields: dict[str, Any], what: events.Fields) -> None:
    assert read_fields(kind, fields) == what


def test_every_kind_has_a_type_of_its_own_or_is_trouble_and_can_be_read_without_any_field() -> None:
    assert set(FIELDS) == set(EventKind)
    own = [one for one in FIELDS.values() if one is not events.Trouble]
    assert len(set(own)) == len(own)
    for kind in EventKind:
        assert isinstance(read_fields(kind, {}), FIELDS[kind])


def test_a_deployment_that_has_not_become_live_has_ended_when_that_is_decided() -> None:
    assert DECIDED - LAST == WENT_WELL


def test_an_event_of_an_unknown_kind_is_a_value_like_any_other() -> None:
    event = Event.model_validate({"id": 7, "at": NOW, "kind": "eclipsed", "fields": {"by": "the moon"}, "weight": 3})

    assert event.kind == "eclipsed"
    assert event.what == events.Unknown()


@pytest.mark.parametrize("kind", sorted([*WENT_WELL, *NOT_LIVE]))
async def test_whoever_waits_is_told_of_each_end_also_of_a_restore(kind: EventKind) -> None:
    """'changeover wait' during a restore waited for ever, and the panel did not show how it ended."""
    with FakeApi() as api:
        api.events = Events().add("started", "d42").add(kind, "d42").all
        async with Client(api.url, "co_secret") as client, asyncio.timeout(5):
            found = [event.kind async for event in client.wait_until_decided("d42")]
    assert found == ["started", kind]
