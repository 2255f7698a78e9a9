"""A plot shows its highest value at the top, gaps as gaps, and a switch where it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from panel.widgets.apps.numbers import rate
from panel.widgets.plots.braille import ACROSS, drawn, resampled
from panel.widgets.plots.plot import Figure, Mark, Plot, Series
from tests.support.screen import shown

VALUES = st.lists(st.none() | st.floats(0, 1e6), max_size=700)


@given(VALUES, st.integers(1, 200))
def test_no_peak_is_lost_by_drawing_many_values_in_few_points(values: list[float | None], points: int) -> None:
    found = resampled(values, points)

    assert len(found) == points
    known = [one for one in values if one is not None]
    assert max((one for one in found if one is not None), default=None) == max(known, default=None)


@given(VALUES, st.integers(1, 40), st.integers(1, 10))
def test_a_column_is_empty_where_nothing_is_known_and_only_there(
    values: list[float | None], columns: int, rows: int
) -> None:
    most = max((one for one in values if one is not None), default=0.0)
    cells = drawn(values, columns, rows, most)
    points = resampled(values, columns * ACROSS)

    for column in range(columns):
        here = points[column * ACROSS : (column + 1) * ACROSS]
        assert any(row[column] for row in cells) == any(one is not None for one in here)


def test_the_highest_value_is_at_the_top_and_zero_at_the_bottom() -> None:
    cells = drawn([5.0, 5.0, 0.0, 0.0], 2, 3, 5.0)

    assert [bool(row[0]) for row in cells] == [True, False, False]
    assert cells[2][1]
    assert not drawn([], 2, 3, 0.0)[0][0]


class Plotted(App[None]):
    def compose(self) -> ComposeResult:
        yield Plot("Requests/s")


@pytest.mark.parametrize("size", [(80, 12), (40, 6), (12, 3), (4, 2)])
async def test_a_plot_names_itself_its_newest_value_its_switch_and_its_span(size: tuple[int, int]) -> None:
    app = Plotted()
    async with app.run_test(size=size) as pilot:
        figure = Figure(
            "Requests/s",
            (Series("", tuple(float(one) for one in range(100))),),
            rate,
            "10 min",
            (Mark(0.25, "v1.1.0"),),
        )
        app.query_one(Plot).show(figure)
        await pilot.pause()
        says = shown(pilot)

    if size[0] >= 40:
        assert "Requests/s  99  most 99" in says
        assert "10 min ago" in says
        assert "now" in says
        assert "┆" in says
        assert "v1.1.0" in says
