"""Names that are too long for their place: a tag of a repository may have 250 characters."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

CUT = "…"


def shortened(text: str, cells: int) -> str:
    """The text in at most so many cells. Of a longer one, the beginning and the end: what differs often stands last."""
    if cell_len(text) <= cells:
        return text
    head, tail = cells - cells // 3 - 1, cells // 3
    return f"{_begin(text, head)}{CUT}{_begin(text[::-1], tail)[::-1]}"


def _begin(text: str, cells: int) -> str:
    return chop_cells(text, cells)[0] if cells > 0 else ""
