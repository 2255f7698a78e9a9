"""The apps' routes at the proxy, from the configuration and the journal."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apps.context import AppContext
from orchestrator.config.app_schema import App, probe_host
from orchestrator.domain.deployment import Deployment
from orchestrator.proxy.routes import AppRoute, Server, TimeLimits


def routes_of(contexts: Iterable[AppContext]) -> list[AppRoute]:
    """One route for each app, in the same order. Raises JournalError."""
    return [_route(context) for context in contexts]


def _route(context: AppContext) -> AppRoute:
    return route_of(context.name, context.config, context.active, context.standby)


def route_of(app: str, config: App, active: Deployment | None, standby: Deployment | None) -> AppRoute:
    """The route of an app with these releases."""
    servers = {one.colour: Server(one.address, one.port) for one in (active, standby) if one is not None and one.colour}
    way = config.route
    return AppRoute(
        app,
        hosts=way.all_hosts,
        path=way.path,
        strip_path=way.strip_path,
        default=way.default,
        active=active.colour if active else None,
        servers=servers,
        max_connections=way.max_connections,
        keep_alive=way.keep_alive,
        retry=way.retry,
        time_limits=TimeLimits(way.answer_timeout, way.request_timeout, way.websocket_timeout),
        probe_host=probe_host(app, config),
    )
