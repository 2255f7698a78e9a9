"""The figures of an app: what was asked of it, what failed, and how long its answers took."""

from __future__ import annotations

from datetime import datetime

from panel.client.traffic_model import AppTraffic, Column
from panel.widgets.apps.numbers import duration, rate
from panel.widgets.plots.plot import Figure, Series

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def figures(traffic: AppTraffic, kept_s: int) -> tuple[Figure, Figure, Figure]:
    span = span_in_words(kept_s)
    wanted = kept_s // traffic.step
    requests = Figure("Requests/s", (_series("", traffic.requests, wanted),), rate, span)
    failed = tuple(_sum(pair) for pair in zip(traffic.server_errors, traffic.failed, strict=False))
    errors = Figure(
        "Errors/s", (_series("5xx", failed, wanted), _series("4xx", traffic.client_errors, wanted)), rate, span
    )
    took = Figure("Answers", (_series("p50", traffic.p50, wanted), _series("p99", traffic.p99, wanted)), duration, span)
    return requests, errors, took


def joined(before: AppTraffic, newer: AppTraffic, kept_s: int) -> AppTraffic:
    """Both, without what is in both, and without what is older than `kept_s` seconds."""
    newest = before.at[-1] if before.at else None
    new = [index for index, at in enumerate(newer.at) if newest is None or at > newest]
    most = kept_s // newer.step
    columns = {
        name: (tuple(getattr(before, name)) + tuple(getattr(newer, name)[index] for index in new))[-most:]
        for name in COLUMNS
        if len(getattr(newer, name)) == len(newer.at)
    }
    at: tuple[datetime, ...] = (before.at + tuple(newer.at[index] for index in new))[-most:]
    return newer.model_copy(update=columns | {"at": at})


COLUMNS = (
    "requests", "ok", "redirects", "client_errors", "server_errors", "failed", "connections", "queue", "p50", "p90",
    "p99",
)  # fmt: skip


def span_in_words(seconds: int) -> str:
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < DAY_S else f"{seconds // DAY_S} d"


def _series(name: str, values: Column, wanted: int) -> Series:
    """What was before the first value is not known, and is empty on the left."""
    return Series(name, (None,) * max(0, wanted - len(values)) + tuple(values[-wanted:]))


def _sum(pair: tuple[float | None, float | None]) -> float | None:
    one, other = pair
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)
