"""The route of each app, as values, and the maps by which the proxy finds an app."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace

from orchestrator.domain.colour import Colour


@dataclass(frozen=True)
class Server:
    """The address and port of one container."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class TimeLimits:
    """How long each side may be silent, in seconds: the app while it answers, the client, both sides of a WebSocket."""

    answer_s: float = 300
    request_s: float = 300
    websocket_s: float = 86400


@dataclass(frozen=True)
class AppRoute:
    """One app at the proxy: its hosts and path, and a server for each colour that has a container.

    A request belongs to the app whose host and path it has; without such an app, to the app whose path it has and that
    has no hosts; otherwise to the `default` app. `strip_path`: the app receives the path without `path`. `probe_host`:
    the `Host` header of our own requests to the app.

    `active` is the colour that has the traffic; the server of the other colour is in maintenance. With `failed_over`,
    the container of the other colour answers instead, because the active one is gone; for its own colour, too, to whom
    asks for that. `candidate` is the server of the
    preview route.
    """

    app: str
    hosts: tuple[str, ...] = ()
    path: str | None = None
    default: bool = False
    active: Colour | None = None
    servers: dict[Colour, Server] = field(default_factory=dict)
    strip_path: bool = False
    time_limits: TimeLimits = TimeLimits()
    probe_host: str = "localhost"
    failed_over: bool = False
    candidate: Server | None = None
    max_connections: int = 0
    """How many requests each server gets at the same time; the others wait at the proxy. 0: no limit."""
    keep_alive: bool = True
    """Whether connections to the servers are kept open between requests."""
    retry: tuple[str, ...] = ()
    """The methods of requests that may be sent again after a container ended without an answer to them."""

    def server_of(self, colour: Colour) -> Server | None:
        """The container of `colour`, if it has the traffic: as the active one, or as the standby after a failover."""
        return self.servers.get(colour) if (colour is self.active) is not self.failed_over else None

    def fallback_of(self, colour: Colour) -> Server | None:
        """The server that answers in the place of `colour`'s own: none unless that is failed over."""
        return self.servers.get(colour.other) if colour is self.active and self.failed_over else None

    def with_containers_of(self, known: AppRoute) -> AppRoute:
        """This route, to the containers of the known one."""
        return replace(
            self,
            active=known.active,
            servers=known.servers,
            failed_over=known.failed_over,
            candidate=known.candidate,
        )


DEFAULT_PREFIX = "/"
CLOSE = "close"


def ways(routes: Iterable[AppRoute]) -> dict[str, str]:
    """Host in lower case and path prefix that ends in `/`, such as `shop.test/api/` -> app.

    The proxy joins host and path of a request, appends `/`, and takes the longest prefix. So `shop.test/api/` is found
    by `/api` and `/api/x` of that host and not by `/apis`.
    """
    return {f"{host}{route.path or ''}/": route.app for route in routes for host in route.hosts}


def paths(routes: Iterable[AppRoute]) -> dict[str, str]:
    """Path prefix that ends in `/` -> app, for requests whose host and path are in no entry of `ways`.

    The default app has the shortest prefix.
    """
    routes = list(routes)
    found: dict[str, str] = {}
    for route in routes:
        if route.path and not route.hosts:
            found.setdefault(f"{route.path}/", route.app)
    for route in routes:
        if route.default:
            found.setdefault(DEFAULT_PREFIX, route.app)
    return found


def stripped(routes: Iterable[AppRoute]) -> dict[str, str]:
    """App -> how many bytes of the path the proxy removes before the app receives it."""
    return {route.app: str(len(route.path)) for route in routes if route.strip_path and route.path}


def limits(routes: Iterable[AppRoute]) -> dict[str, str]:
    """App -> its time limits in milliseconds, and whether its connections are closed: `answer:request:websocket`, and
    then `:close` if they are. For the apps that have others than usual.
    """
    return {
        route.app: ":".join([*_in_milliseconds(route.time_limits), *([] if route.keep_alive else [CLOSE])])
        for route in routes
        if route.time_limits != TimeLimits() or not route.keep_alive
    }


def _in_milliseconds(limits: TimeLimits) -> list[str]:
    return [str(round(1000 * limit)) for limit in astuple(limits)]


def retries(routes: Iterable[AppRoute]) -> dict[str, str]:
    """`METHOD/app` -> "yes", for the requests that may be sent again (`route.retry`)."""
    return {f"{method}/{route.app}": "yes" for route in routes for method in route.retry}
