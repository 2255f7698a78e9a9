"""Where the traffic of each app may go, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.colour import Colour


@dataclass(frozen=True)
class Server:
    """One container as the proxy reaches it."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class AppRoute:
    """One app at the proxy: what leads to it, and a server for each colour that has a container.

    `active` is the colour that has the traffic; `fallbacks` are the colours whose container may serve when the other
    colour's does not answer at all.
    """

    app: str
    host: str | None = None
    path: str | None = None
    default: bool = False
    active: Colour | None = None
    servers: dict[Colour, Server] = field(default_factory=dict)
    fallbacks: frozenset[Colour] = frozenset()

    def backend(self, colour: Colour) -> str:
        return f"{self.app}_{colour}"

    @property
    def preview(self) -> str:
        return f"{self.app}_preview"
