"""The apps' routes at the proxy, from the configuration and the journal."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apps.context import AppContext
from orchestrator.config.app_schema import App, probe_host
from orchestrator.deploy.standby import standby_for_failover
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment
from orchestrator.proxy.routes import AppRoute, Server


def routes_of(contexts: Iterable[AppContext]) -> list[AppRoute]:
    """One route for each app, in the same order. Raises JournalError."""
    return [_route(context) for context in contexts]


def _route(context: AppContext) -> AppRoute:
    return route_of(context.name, context.config, context.active, context.standby, standby_for_failover(context))


def route_of(
    app: str, config: App, active: Deployment | None, standby: Deployment | None, failover: Deployment | None
) -> AppRoute:
    """The route of an app with these releases. `failover` is the standby if it may answer for the active release."""
    servers = {one.colour: Server(one.address, one.port) for one in (active, standby) if one is not None and one.colour}
    fallbacks = frozenset({failover.colour}) if failover and failover.colour else frozenset[Colour]()
    way = config.route
    return AppRoute(
        app,
        hosts=way.all_hosts,
        path=way.path,
        strip_path=way.strip_path,
        default=way.default,
        active=active.colour if active else None,
        servers=servers,
        fallbacks=fallbacks,
        probe_host=probe_host(app, config),
    )
