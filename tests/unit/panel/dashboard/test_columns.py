"""A line of the list is never wider than the list, and numbers are as short as their columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from panel.client.model import App
from panel.widgets.apps.columns import card_of, columns_of, heading, line_of, widths
from panel.widgets.apps.numbers import NO_NUMBERS, Numbers, duration, probes, rate, share, sparkline
from tests.support import api_answers as answers


def app(name: str, version: str = "v1.0.0", **fields: Any) -> App:
    return App.model_validate(answers.app(name, active=answers.slot(version), **fields))


FULL = Numbers(tuple(float(one) for one in range(60)), 0.012, 1234.0, "+" * 40 + "-" * 10)
APPS = [app("shop"), app("a-shop-with-a-very-long-name-indeed", "v1.2.3-rc1+build.2026.11.28"), app("店", "版本一")]


@pytest.mark.parametrize("room", range(28, 200, 3))
def test_each_line_is_as_wide_as_the_others_and_fits(room: int) -> None:
    columns = columns_of(APPS)
    wide = widths(columns, room)
    lines = [line_of(one, numbers, columns, wide) for one in APPS for numbers in (FULL, NO_NUMBERS)]
    cells = [sum(cell_len(cell.text) for cell in line) for line in [*lines, heading(columns, wide, "state")]]

    assert len(set(cells)) == 1
    assert cells[0] - 1 <= room, "the last gap may be cut"


@pytest.mark.parametrize("room", range(24, 70, 7))
def test_a_card_fits_on_a_phone(room: int) -> None:
    for one in APPS:
        for line in card_of(one, FULL, room):
            assert sum(cell_len(cell.text) for cell in line) <= room


def test_names_are_whole_before_there_are_numbers() -> None:
    columns = columns_of([app("shop", health="unhealthy")])
    shown = ["".join(cell.text for cell in line_of(app("shop", health="unhealthy"), FULL, columns, widths(columns, r)))
             for r in (30, 60, 150)]  # fmt: skip

    assert all("shop" in line and "B v1.0.0" in line and "unhealthy" in line for line in shown)
    assert ["1.2%" in line for line in shown] == [False, True, True]
    assert ["▯" in line for line in shown] == [False, False, True]


@given(st.none() | st.floats(0, 9e7))
def test_a_rate_has_at_most_five_cells(value: float | None) -> None:
    assert cell_len(rate(value)) <= 5


@given(st.none() | st.floats(0, 1))
def test_a_share_has_at_most_five_cells_and_is_zero_only_if_it_is(value: float | None) -> None:
    assert cell_len(share(value)) <= 5
    assert (share(value) == "0%") == (value == 0)


@given(st.none() | st.floats(0, 9e6))
def test_a_duration_has_at_most_six_cells(value: float | None) -> None:
    assert cell_len(duration(value)) <= 6


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=80), st.integers(0, 70))
def test_a_sparkline_has_a_cell_for_each_of_the_newest_values(values: list[float | None], cells: int) -> None:
    drawn = sparkline(values, cells)

    assert len(drawn) == cells
    newest = values[-cells:] if cells else []
    assert [one == " " for one in drawn[cells - len(newest) :]] == [one is None for one in newest]


def test_probes_are_shapes() -> None:
    assert probes("+-?+", 3) == "▯·▮"
    assert probes("+", 3) == "  ▮"
