"""What is stored of a session's state is read again, whatever a release or an accident has made of it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.session.form import FORM, NotReadable, as_text, read, read_text, stored
from panel.session.state import FARTHEST, DashboardState, LogState, Place, SessionState, TabState

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.builds(Place, x=st.integers(0, FARTHEST), y=st.integers(0, FARTHEST), row=st.text())
LOGS = st.builds(LogState, container=st.text(), search=st.text(), top=st.none() | st.datetimes(timezones=st.just(UTC)))
TABS = st.builds(TabState, app=st.text(), at=st.dictionaries(st.text(), PLACES), log=st.none() | LOGS)
FIELDS = {
    name: None
    for model in (SessionState, DashboardState, TabState, LogState, Place)
    for name in (*model.model_fields, "form", "of another release")
}
STATES = st.builds(
    SessionState,
    release=st.text(),
    selected=st.text(),
    told=st.dictionaries(st.text(), st.text()),
    dashboard=st.builds(
        DashboardState, draft=st.text(), words=st.text(), alone=st.booleans(), tabs=st.dictionaries(st.text(), TABS)
    ),
)


@given(STATES)
def test_every_state_is_read_as_it_was_stored(state: SessionState) -> None:
    assert read_text(as_text(state)) == state


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), ODD), st.dictionaries(st.sampled_from(sorted(FIELDS)), ODD))
def test_anything_is_a_state_that_can_be_stored_or_is_not_readable(fields: Any, of_dashboard: Any) -> None:
    for found in (fields, fields | {"dashboard": of_dashboard}):
        try:
            state = read(found)
        except NotReadable:
            continue
        assert read_text(as_text(state)) == state


@given(ODD | st.binary().map(bytes.hex))
def test_what_is_no_object_is_not_readable(found: Any) -> None:
    if not isinstance(found, dict):
        with pytest.raises(NotReadable):
            read(found)


@given(st.binary())
def test_any_bytes_are_a_state_or_not_readable(found: bytes) -> None:
    with suppress(NotReadable):
        assert isinstance(read_text(found), SessionState)


@pytest.mark.parametrize("offset", [-1, FARTHEST + 1, 10**4000, 0.5, "7x", None, [], float("inf"), float("nan")])
def test_an_odd_offset_is_not_readable(offset: Any) -> None:
    for found in ({"top": offset}, {"tabs": {"logs": {"at": {"Table": {"y": offset}}}}}):
        with pytest.raises(NotReadable):
            read({"dashboard": found})


@pytest.mark.parametrize("text", ["[" * 100_000, '{"form": 1' + "0" * 5000 + "}", '{"selected": "\\ud800"}', "NaN", ""])
def test_odd_text_is_not_readable(text: str) -> None:
    with pytest.raises(NotReadable):
        read_text(text)


def test_unknown_fields_are_left_out_and_a_newer_form_is_not_taken() -> None:
    state = stored(SessionState(selected="shop")) | {"of another release": 1}
    assert read(state).selected == "shop"
    without_number = {name: value for name, value in state.items() if name != "form"}
    assert read(without_number).selected == "shop", "as releases before the number stored it"
    with pytest.raises(NotReadable, match="a newer release"):
        read(json.loads(json.dumps(state | {"form": FORM + 1})))
