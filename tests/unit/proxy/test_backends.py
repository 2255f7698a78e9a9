"""Numbers of backends: one for each app, for its life."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.colour import Colour
from orchestrator.proxy import backends

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)
APPS = st.lists(NAMES, unique=True, max_size=6)


@given(st.lists(APPS, max_size=8), st.integers(0, 3))
def test_an_app_keeps_its_number_for_its_life_and_shares_it_with_nobody(changes: list[list[str]], spare: int) -> None:
    numbers: dict[str, int] = {}
    declared = 0
    for apps in changes:
        new = backends.assign(numbers, apps, declared)
        assert set(new) == set(apps)
        assert len(set(new.values())) == len(new)
        assert {app: new[app] for app in apps if app in numbers} == {a: n for a, n in numbers.items() if a in apps}
        before, declared = declared, backends.to_declare(new, declared, spare)
        assert max(new.values(), default=0) <= declared
        # More are declared only where the apps at once did not fit.
        assert declared == before or len(new) > before or before == 0
        numbers = new


def test_a_number_that_was_given_back_rests_while_another_is_free() -> None:
    numbers = backends.assign({}, ["a", "b"], 5)
    numbers = backends.assign(numbers, ["a"], 5)

    assert backends.assign(numbers, ["a", "c"], 5) == {"a": 1, "c": 2}
    numbers = backends.assign({"a": 1, "b": 2, "c": 3}, ["a", "c", "d"], 5)
    assert numbers == {"a": 1, "c": 3, "d": 4}


@given(st.integers(1, 1000), st.sampled_from(Colour))
def test_a_name_says_number_and_colour(number: int, colour: Colour) -> None:
    name = backends.backend(number, colour)

    assert (backends.number_of(name), backends.colour_of(name)) == (number, colour)


@given(NAMES, st.sampled_from(Colour))
def test_no_backend_that_is_named_by_its_app_is_taken_for_a_numbered_one(app: str, colour: Colour) -> None:
    assert backends.number_of(f"{app}_{colour}") is None


def test_numbers_are_rebuilt_from_where_the_traffic_goes() -> None:
    recorded = {"good": "3", "odd": "x", "twice": "3", "none": "0"}
    traffic = {
        "odd": "app_4_blue",
        "lost": "app_5_green",
        "old": "old_blue",
        "twice": "app_3_blue",
        "good": "app_9_blue",
    }

    assert backends.numbers_from_files(recorded, traffic) == {"good": 3, "odd": 4, "lost": 5}
