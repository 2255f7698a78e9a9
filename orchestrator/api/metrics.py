"""/metrics: each app's state for Prometheus, in its text format. Needs a token, as `authorization` of the scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from orchestrator.api import traffic_metrics
from orchestrator.api.access import ReaderOfSome, Serving
from orchestrator.apps.look import Health
from orchestrator.domain.push_check import Forge
from orchestrator.pushes.refusals import Outcome, PushCounts
from orchestrator.server import Orchestrator

if TYPE_CHECKING:
    from prometheus_client import Metric

router = APIRouter()


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, orchestrator: Serving, who: ReaderOfSome) -> PlainTextResponse:
    """The apps that the token is for. Does not contact the engine, the proxy or an app."""
    names = [context.name for context in orchestrator.apps.all() if who.sees(context.name)]
    # All at once: each may wait for a probe that is due.
    health = await asyncio.gather(*(orchestrator.health.of(name) for name in names))
    counts: PushCounts = request.app.state.pushes
    # Deliveries for names that no app has are for tokens of all apps.
    pushes = {one: times for one, times in counts.total.items() if who.sees(one[0])}
    traffic = traffic_metrics.families(orchestrator.traffic, who.sees)
    return PlainTextResponse(
        _text(orchestrator, dict(zip(names, health, strict=True)), pushes, traffic),
        media_type="text/plain; version=0.0.4",
    )


def _text(
    orchestrator: Orchestrator,
    health: dict[str, Health],
    pushes: Mapping[tuple[str, Forge, Outcome], int],
    traffic: Iterable[Metric],
) -> str:
    # Imported here: it is megabytes that an installation without Prometheus does not need.
    from prometheus_client import CollectorRegistry, Gauge, generate_latest
    from prometheus_client.core import CounterMetricFamily

    registry = CollectorRegistry()
    healthy = Gauge("changeover_app_healthy", "Whether the active release is healthy.", ["app"], registry=registry)
    state = Gauge("changeover_app_health", "The app's health.", ["app", "health"], registry=registry)
    over = Gauge("changeover_app_failed_over", "Whether the standby answers.", ["app"], registry=registry)
    failovers = CounterMetricFamily(
        "changeover_app_failovers", "How often the standby answered because the active container ended.", labels=["app"]
    )
    requests = CounterMetricFamily(
        "changeover_app_standby_requests", "Requests that the standby answered.", labels=["app"]
    )
    crashes = CounterMetricFamily(
        "changeover_app_crashes", "How often an app container ended without being asked to.", labels=["app"]
    )
    for app, found in health.items():
        record = orchestrator.failover.record(app)
        healthy.labels(app).set(found is Health.HEALTHY)
        state.labels(app, found).set(1)
        over.labels(app).set(record.since is not None)
        failovers.add_metric([app], record.times)
        requests.add_metric([app], record.requests)
        crashes.add_metric([app], orchestrator.crashes.total(app))
    deliveries = CounterMetricFamily(
        "changeover_pushes", "Deliveries of forges, by what became of them.", labels=["app", "forge", "outcome"]
    )
    for (app, forge, outcome), times in pushes.items():
        deliveries.add_metric([app, forge, outcome], times)
    notices = CounterMetricFamily(
        "changeover_notices", "Notices, by what became of them at each service.", labels=["app", "outcome"]
    )
    for (app, fate), times in orchestrator.notices.lanes.total.items():
        if app in health:
            notices.add_metric([app, fate], times)
    waiting = Gauge(
        "changeover_notices_waiting", "Notices that a service does not have yet.", ["app"], registry=registry
    )
    for app, count in orchestrator.notices.waiting.items():
        if app in health:
            waiting.labels(app).set(count)
    registry.register(_Ready(failovers, requests, crashes, deliveries, notices, *traffic))
    return generate_latest(registry).decode()


class _Ready:
    """Counters whose values are kept elsewhere, as a collector."""

    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> tuple[Metric, ...]:
        return self._families
