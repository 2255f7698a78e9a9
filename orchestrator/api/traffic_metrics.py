"""The traffic of apps for Prometheus: counters and a histogram by app and colour, and what its containers use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from orchestrator.domain.colour import Colour
from orchestrator.traffic.latency import Buckets, ms_of
from orchestrator.traffic.since_start import Counted
from orchestrator.traffic.traffic import Traffic

if TYPE_CHECKING:
    from prometheus_client import Metric

LIMITS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CLASSES = (("2xx", "ok"), ("3xx", "redirects"), ("4xx", "client_errors"), ("5xx", "server_errors"))
"""The label of each class of statuses, and its name in Totals. 1xx counts as 2xx."""
OF_COLOUR = ["app", "colour"]


def families(traffic: Traffic, sees: Callable[[str], bool]) -> list[Metric]:
    """Of the apps that somebody sees, from the first sample on."""
    counted = {of: one for of, one in traffic.since_start.of.items() if sees(of[0])}
    return [*_of_requests(counted), *_of_containers(traffic, sees)]


def _of_requests(counted: dict[tuple[str, Colour], Counted]) -> list[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    requests = CounterMetricFamily(
        "changeover_app_requests", "Requests of clients, by the class of their status.", labels=[*OF_COLOUR, "status"]
    )
    failed = CounterMetricFamily(
        "changeover_app_failed_requests", "Connections and answers that failed.", labels=OF_COLOUR
    )
    retries = CounterMetricFamily(
        "changeover_app_connection_retries", "How often a connection was tried again.", labels=OF_COLOUR
    )
    sessions = GaugeMetricFamily("changeover_app_sessions", "Requests and WebSockets under way.", labels=OF_COLOUR)
    queue = GaugeMetricFamily("changeover_app_queue", "Requests that wait for a place.", labels=OF_COLOUR)
    seconds = HistogramMetricFamily(
        "changeover_app_response_seconds", "Time to the beginning of the answer, of a sample.", labels=OF_COLOUR
    )
    for (app, colour), one in counted.items():
        labels = [app, str(colour)]
        known = 0
        for status, name in CLASSES:
            known += (count := getattr(one.totals, name))
            requests.add_metric([*labels, status], count)
        requests.add_metric([*labels, "none"], max(0, one.totals.requests - known))
        failed.add_metric(labels, one.totals.failed)
        retries.add_metric(labels, one.totals.retries)
        sessions.add_metric(labels, one.totals.connections)
        queue.add_metric(labels, one.totals.queue)
        seconds.add_metric(labels, buckets=list(_cumulative(one.buckets)), sum_value=one.seconds)
    return [requests, failed, retries, sessions, queue, seconds]


def _cumulative(buckets: Buckets) -> Iterable[tuple[str, float]]:
    for limit_s in LIMITS_S:
        yield str(limit_s), sum(count for bucket, count in buckets.items() if ms_of(bucket) <= limit_s * 1000)
    yield "+Inf", sum(buckets.values())


def _of_containers(traffic: Traffic, sees: Callable[[str], bool]) -> list[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    labels = [*OF_COLOUR, "container"]
    cpu = GaugeMetricFamily("changeover_container_cpu_cores", "Cores that a container uses.", labels=labels)
    memory = GaugeMetricFamily("changeover_container_memory_bytes", "Memory without file cache.", labels=labels)
    for container, use in traffic.uses.latest.items():
        if sees(container.app):
            of = [container.app, str(container.colour), container.name]
            if not math.isnan(use.cpu):
                cpu.add_metric(of, use.cpu)
            memory.add_metric(of, use.memory)
    return [cpu, memory]
