"""The traffic of apps as the API answers it. In a column, None is a gap: nobody knows what there was."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value

Column = tuple[float | None, ...]
"""A value for each time, the oldest first."""


class AppSummary(Value):
    """`requests` per second. Of the last minute: `errors`, the share that failed, None without requests, and `p99` in
    milliseconds. `ticks`: the last probes, the oldest first: `+` answered well, `-` not, `?` not known."""

    requests: Column = ()
    errors: float | None = None
    p99: float | None = None
    ticks: str = ""


class Traffic(Value):
    """`at`: when the newest sample was taken, None before the first one. `step`: seconds from one to the next."""

    at: datetime | None = None
    step: int = 1
    apps: dict[str, AppSummary] = {}


class Switch(Value):
    """A release got the traffic."""

    at: datetime
    version: str
    colour: str


class ContainerTraffic(Value):
    """`cpu`: the share of a core. `memory`: in bytes, without the file cache that the kernel can take back."""

    colour: str
    cpu: Column = ()
    memory: Column = ()


class AppTraffic(Value):
    """A value for each time in `at`, the end of a step of `step` seconds.

    `requests`, and those of each kind, are per second: `ok` has the statuses 1xx and 2xx, `failed` the connections and
    answers that failed. `p50`, `p90`, `p99`: milliseconds to the beginning of the answer; None without requests.
    """

    app: str
    step: int
    at: tuple[datetime, ...] = ()
    requests: Column = ()
    ok: Column = ()
    redirects: Column = ()
    client_errors: Column = ()
    server_errors: Column = ()
    failed: Column = ()
    connections: Column = ()
    queue: Column = ()
    p50: Column = ()
    p90: Column = ()
    p99: Column = ()
    switches: tuple[Switch, ...] = ()
    """Those of this time, the oldest first."""
    containers: dict[str, ContainerTraffic] = {}
    """By name."""
