"""The route of each app, as values, and the maps by which the proxy finds an app."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.domain.colour import Colour


@dataclass(frozen=True)
class Server:
    """The address and port of one container."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class AppRoute:
    """One app at the proxy: its host or path, and a server for each colour that has a container.

    `active` is the colour that has the traffic; `fallbacks` are the colours whose container answers while the other
    colour's does not.
    """

    app: str
    host: str | None = None
    path: str | None = None
    default: bool = False
    active: Colour | None = None
    servers: dict[Colour, Server] = field(default_factory=dict)
    fallbacks: frozenset[Colour] = frozenset()

    def fallback_of(self, colour: Colour) -> Server | None:
        """The server that is the fallback of `colour`, if any."""
        return self.servers.get(colour.other) if colour.other in self.fallbacks else None


DEFAULT_PREFIX = "/"


def hosts(routes: Iterable[AppRoute]) -> dict[str, str]:
    """Host in lower case -> app."""
    return {route.host: route.app for route in routes if route.host}


def paths(routes: Iterable[AppRoute]) -> dict[str, str]:
    """Path prefix that ends in `/` -> app. The proxy appends `/` to the path of a request and takes the longest prefix.

    So `/shop/` is found by `/shop` and `/shop/x` and not by `/shopping`. The default app has the shortest prefix.
    """
    routes = list(routes)
    found: dict[str, str] = {}
    for route in routes:
        if route.path:
            found.setdefault(f"{route.path}/", route.app)
    for route in routes:
        if route.default:
            found.setdefault(DEFAULT_PREFIX, route.app)
    return found
