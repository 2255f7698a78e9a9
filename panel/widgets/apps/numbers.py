"""The numbers of an app in the list: requests, errors, the slowest answers and the last probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = " "
"""Where nothing is known: the orchestrator or the proxy was away."""
PROBES = {"+": "▮", "-": "▯", "?": "·"}
"""Good, bad and unknown probes: shapes, so that no colour is needed to read them."""


@dataclass(frozen=True)
class Numbers:
    """`requests` a second, the oldest first, None where they are not known. `errors` is the share of the last minute's
    answers, from 0 to 1; `p99` in milliseconds. `probes`: one of `+-?` each, the oldest first."""

    requests: tuple[float | None, ...] = ()
    errors: float | None = None
    p99: float | None = None
    probes: str = ""

    @property
    def now(self) -> float | None:
        """Requests in the last second that is known."""
        return next((one for one in reversed(self.requests) if one is not None), None)


NO_NUMBERS = Numbers()
NumbersOf = Callable[[str], Numbers]
"""The numbers of an app by its name."""


def sparkline(values: Sequence[float | None], cells: int, most: float = 0.0) -> str:
    """The newest values, a cell each; the highest of them, or `most` if that is more, is a full block.

    What is not zero is at least the lowest block, and zero is that, too: a gap is empty.
    """
    newest = list(values[-cells:]) if cells > 0 else []
    highest = max([most, *(one for one in newest if one is not None)], default=0.0)
    drawn = "".join(_block(one, highest) for one in newest)
    return drawn.rjust(cells)


def _block(value: float | None, highest: float) -> str:
    if value is None:
        return GAP
    return BLOCKS[min(len(BLOCKS) - 1, round(value / highest * (len(BLOCKS) - 1)))] if highest > 0 else BLOCKS[0]


def rate(requests: float | None) -> str:
    """Requests a second in at most five cells: "0", "3.2", "120", "1.2k", "-" if not known."""
    return "–" if requests is None else _short(requests)


def _short(number: float) -> str:
    for least, letter in ((1e6, "M"), (1e3, "k")):
        if number >= least * 0.9995:
            return f"{number / least:.1f}{letter}" if number < least * 99.95 else f"{number / least:.0f}{letter}"
    if number >= 9.95 or number == 0:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 0.05 else "<0.1"


def share(errors: float | None) -> str:
    """A share in percent, in at most five cells. What is not zero never looks as if it were."""
    if errors is None:
        return "–"
    percent = errors * 100
    if percent == 0:
        return "0%"
    if percent < 0.1:
        return "<.1%"
    return f"{percent:.1f}%" if percent < 9.95 else f"{percent:.0f}%"


def duration(ms: float | None) -> str:
    """Milliseconds in at most six cells: "4 ms", "1.2 s"."""
    if ms is None:
        return "–"
    if ms < 999.5:
        return f"{ms:.0f} ms" if ms >= 0.95 else "<1 ms"
    return f"{ms / 1000:.1f} s" if ms < 99_950 else f"{ms / 1000:.0f} s"


def probes(known: str, cells: int) -> str:
    """The newest probes, a cell each."""
    return "".join(PROBES.get(one, PROBES["?"]) for one in known[-cells:]).rjust(cells) if cells > 0 else ""
