"""The apps' routes at the proxy, from the configuration and the journal."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apps.context import AppContext
from orchestrator.deploy.standby import standby_for_failover
from orchestrator.domain.colour import Colour
from orchestrator.proxy.routes import AppRoute, Server


def routes_of(contexts: Iterable[AppContext]) -> list[AppRoute]:
    """One route for each app, in the same order. Raises JournalError."""
    return [_route(context) for context in contexts]


def _route(context: AppContext) -> AppRoute:
    active, standby = context.active, context.standby
    servers: dict[Colour, Server] = {}
    for deployment in (active, standby):
        if deployment and deployment.colour:
            servers[deployment.colour] = Server(deployment.address, deployment.port)
    failover = standby_for_failover(context)
    fallbacks = frozenset({failover.colour}) if failover and failover.colour else frozenset[Colour]()
    way = context.config.route
    return AppRoute(
        context.name, way.host, way.path, way.default, active.colour if active else None, servers, fallbacks
    )
