"""Lines of dots: a cell of a terminal has two columns of four dots in the Braille block of Unicode."""

from __future__ import annotations

from collections.abc import Sequence

BLANK = 0x2800
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of each dot: by column, from the top down."""
ACROSS, DOWN = 2, 4
"""Dots of a cell."""
Values = Sequence[float | None]


def resampled(values: Values, points: int) -> list[float | None]:
    """The values in so many points; a point that stands for several has the highest, so that no peak is lost.

    Of fewer values, each keeps its place at the end, where the newest is.
    """
    if len(values) <= points:
        return [*([None] * (points - len(values))), *values]
    found: list[float | None] = []
    for point in range(points):
        part = values[point * len(values) // points : (point + 1) * len(values) // points]
        found.append(max((one for one in part if one is not None), default=None))
    return found


def drawn(values: Values, columns: int, rows: int, most: float) -> list[list[int]]:
    """The bits of each cell, row by row from the top, of a line through these values. `most` is at the top, zero at the
    bottom. Nothing is drawn where nothing is known."""
    cells = [[0] * columns for _ in range(rows)]
    high = rows * DOWN - 1
    before: int | None = None
    for x, value in enumerate(resampled(values, columns * ACROSS)):
        if value is None:
            before = None
            continue
        y = high - round(min(value, most) / most * high) if most > 0 else high
        for dot in _between(before, y):
            cells[dot // DOWN][x // ACROSS] |= DOTS[x % ACROSS][dot % DOWN]
        before = y
    return cells


def _between(before: int | None, y: int) -> range:
    """The dots of a column that join it with the one before it."""
    if before is None or before == y:
        return range(y, y + 1)
    return range(y, before) if y < before else range(before + 1, y + 1)
