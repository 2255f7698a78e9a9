"""Which apps the list shows, in which order, and how they are."""

from __future__ import annotations

from typing import Any

import pytest

from panel.client.model import App
from panel.widgets.apps.grade import Grade, all_in_words, grade_of
from panel.widgets.apps.numbers import NO_NUMBERS, Numbers
from panel.widgets.apps.order import Sort, View, arranged
from tests.support import api_answers as answers


def app(name: str = "shop", **fields: Any) -> App:
    return App.model_validate(answers.app(name, **fields))


WARNING = {"says": "It has no limit of memory.", "warns": True}
ALARM = {"says": "Its requests are paused."}
UNSETTLED = {
    "deployment": "d1", "since": answers.NOW.isoformat(), "says": "0003 stands.", "remedy": "Restore b1.",
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({}, Grade.WELL),
        ({"active": None, "health": "none"}, Grade.EMPTY),
        ({"health": "none"}, Grade.BAD),
        ({"health": "standby"}, Grade.WARNED),
        ({"troubles": [WARNING]}, Grade.WARNED),
        ({"troubles": [WARNING, ALARM]}, Grade.BAD),
        ({"unsettled": UNSETTLED}, Grade.BAD),
        *(({"health": health}, Grade.BAD) for health in ("paused", "unhealthy", "crashing", "stopped", "of 2031")),
    ],
)
def test_an_app_that_answers_nobody_is_bad_and_one_that_soon_may_not_is_warned_of(
    fields: dict[str, Any], grade: Grade
) -> None:
    assert grade_of(app(**fields)) is grade


def test_no_two_grades_have_the_same_mark() -> None:
    assert len({grade.mark for grade in Grade}) == len(Grade)


@pytest.mark.parametrize(
    ("healths", "says"),
    [
        ([], "no apps"),
        (["healthy", "healthy"], "all well"),
        (["healthy", "standby"], "1 app with a warning"),
        (["standby", "crashing"], "1 app needs you"),
        (["stopped", "crashing", "healthy"], "2 apps need you"),
    ],
)
def test_one_mark_stands_for_all_apps(healths: list[str], says: str) -> None:
    assert all_in_words(app(f"app{index}", health=health) for index, health in enumerate(healths))[1] == says


APPS = [app("till"), app("blog", health="crashing"), app("shop", health="standby")]
NUMBERS = {
    "till": Numbers((1.0,), 0.5, 10.0), "blog": Numbers((9.0,), 0.0, 300.0), "shop": Numbers((None,), None, None),
}  # fmt: skip


def names(view: View, before: tuple[str, ...] = ()) -> list[str]:
    return [one.name for one in arranged(APPS, view, lambda name: NUMBERS[name], before)]


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (View(), ["till", "blog", "shop"]),
        (View(sort=Sort.NAME), ["blog", "shop", "till"]),
        (View(sort=Sort.HEALTH), ["blog", "shop", "till"]),
        (View(sort=Sort.REQUESTS), ["blog", "till", "shop"]),
        (View(sort=Sort.ERRORS), ["till", "blog", "shop"]),
        (View(sort=Sort.P99), ["blog", "till", "shop"]),
        (View(grouped=True), ["blog", "shop", "till"]),
        (View(faults_only=True), ["blog", "shop"]),
        (View(words="O"), ["blog", "shop"]),
        (View(words="!o"), ["till"]),
        (View(words="v1.0 crash"), ["blog"]),
        (View(words="nothing has this"), []),
        (View(words="!"), []),
    ],
)
def test_the_list_is_filtered_sorted_and_grouped(view: View, shown: list[str]) -> None:
    assert names(view) == shown


@pytest.mark.parametrize("before", [("shop", "blog", "till"), ("till", "shop", "blog")])
def test_apps_with_equal_numbers_stay_where_they_were(before: tuple[str, ...]) -> None:
    found = arranged(APPS, View(sort=Sort.REQUESTS), lambda _: NO_NUMBERS, before)

    assert tuple(one.name for one in found) == before


def test_each_way_of_sorting_follows_another_one() -> None:
    every, sort = [], Sort.FILE
    for _ in Sort:
        every.append(sort)
        sort = sort.next

    assert set(every) == set(Sort)
    assert sort is Sort.FILE
