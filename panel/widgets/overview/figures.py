"""The figures of an app: what was asked of it, what failed, and how long its answers took."""

from __future__ import annotations

from datetime import datetime, timedelta

from panel.client.traffic_model import AppTraffic, Column, ContainerTraffic
from panel.widgets.apps.numbers import duration, rate
from panel.widgets.overview.switches import marks
from panel.widgets.plots.braille import resampled
from panel.widgets.plots.plot import Figure, Series

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


POINTS = 720
"""A line has so many points at most: more than a wide terminal has room for."""


def figures(traffic: AppTraffic, kept_s: int) -> tuple[Figure, Figure, Figure]:
    span = span_in_words(kept_s)
    switched = marks(traffic.switches, traffic.at[-1] if traffic.at else None, kept_s)

    def line(name: str, values: Column) -> Series:
        return Series(name, thinned(values, kept_s // traffic.step))

    failed = tuple(_sum(pair) for pair in zip(traffic.server_errors, traffic.failed, strict=False))
    errors = (line("5xx", failed), line("4xx", traffic.client_errors))
    took = (line("p50", traffic.p50), line("p99", traffic.p99))
    return (
        Figure("Requests/s", (line("", traffic.requests),), rate, span, switched),
        Figure("Errors/s", errors, rate, span, switched),
        Figure("Answers", took, duration, span, switched),
    )


def thinned(values: Column, wanted: int) -> Column:
    """The newest so many values, in POINTS at most. What was before the first one is not known, and is empty on the
    left. The last one stays as it is; of the others, a point that stands for several has the highest."""
    whole = (None,) * max(0, wanted - len(values)) + tuple(values[-wanted:])
    return whole if len(whole) <= POINTS else (*resampled(whole[:-1], POINTS - 1), whole[-1])


def joined(before: AppTraffic, newer: AppTraffic, kept_s: int) -> AppTraffic:
    """Both, without what is in both, and without what is older than `kept_s` seconds."""
    newest = before.at[-1] if before.at else None
    new = [index for index, at in enumerate(newer.at) if newest is None or at > newest]
    most = kept_s // newer.step

    def column(old: Column, found: Column) -> Column:
        """What is not known of its container in one of both is a gap."""
        old = old if len(old) == len(before.at) else (None,) * len(before.at)
        found = found if len(found) == len(newer.at) else (None,) * len(newer.at)
        return (old + tuple(found[index] for index in new))[-most:]

    columns = {
        name: column(getattr(before, name), getattr(newer, name))
        for name in COLUMNS
        if len(getattr(newer, name)) == len(newer.at)
    }
    gone = ContainerTraffic(colour="")
    containers = {
        name: one.model_copy(
            update={
                "cpu": column(before.containers.get(name, gone).cpu, one.cpu),
                "memory": column(before.containers.get(name, gone).memory, one.memory),
            }
        )
        for name, one in newer.containers.items()
    }
    at: tuple[datetime, ...] = (before.at + tuple(newer.at[index] for index in new))[-most:]
    switches = tuple(one for one in before.switches if one not in newer.switches) + newer.switches
    shown = tuple(one for one in switches if not at or one.at >= at[-1] - timedelta(seconds=kept_s))
    return newer.model_copy(update=columns | {"at": at, "containers": containers, "switches": shown})


COLUMNS = (
    "requests", "ok", "redirects", "client_errors", "server_errors", "failed", "connections", "queue", "p50", "p90",
    "p99",
)  # fmt: skip


def span_in_words(seconds: int) -> str:
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < DAY_S else f"{seconds // DAY_S} d"


def _sum(pair: tuple[float | None, float | None]) -> float | None:
    one, other = pair
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)
