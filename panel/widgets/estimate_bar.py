"""How far a deployment is: a bar, and the time that it usually still takes."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from panel.text.counted import counted
from panel.text.expected import Estimate

NARROWEST, WIDEST = 10, 40
"""Cells of the bar."""
ROOM_FOR_WORDS = 65
"""Cells of the line in which it also stands by what the estimate was found."""
FULL, EMPTY = "━", "─"


class EstimateBar(Static):
    """Nothing before it is known what earlier deployments took."""

    DEFAULT_CSS = """
    EstimateBar { height: auto; padding: 1 0 0 1; display: none; }
    """

    def show(self, found: Estimate | None, by: int) -> None:
        """`by`: how many earlier deployments it was found by. None hides the bar."""
        self.display = found is not None
        if found:
            self.update(bar(found, by, self.content_size.width))


def bar(found: Estimate, by: int, width: int) -> Text:
    """A line such as `━━━━━━──── 62 %  about 12 s more (by 5 earlier deployments)`."""
    cells = max(NARROWEST, min(WIDEST, width - 55))
    filled = round(found.share * cells)
    left = "takes longer than usual" if found.left_s is None else f"about {_duration(found.left_s)} more"
    return Text.assemble(
        (FULL * filled, "green3"),
        (EMPTY * (cells - filled), "grey50"),
        f" {found.share * 100:.0f} %  {left}",
        (f" (by {counted(by, 'earlier deployment')})" if width >= ROOM_FOR_WORDS else "", "grey62"),
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
