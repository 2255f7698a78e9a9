"""The proxy as pipeline, recovery, doctor and API know it. HAProxy is its one real home (haproxy.py)."""

from __future__ import annotations

from typing import Protocol

import httpx

from orchestrator.domain.colour import Colour
from orchestrator.proxy.routes import AppRoute, Server


class Proxy(Protocol):
    """Every method that talks to the proxy raises ProxyError when it does not do what it was told."""

    spare_backends: int
    """How many apps can be added without a reload of the proxy (`proxy.spare_backends`)."""

    def route(self, app: str) -> AppRoute:
        """How the app is routed now. Raises ProxyError for one that is not in the configuration any more."""
        ...

    def colour_in_file(self, app: str) -> Colour | None:
        """The colour that a proxy which starts now would send the app's traffic to."""
        ...

    def know(self, routes: list[AppRoute]) -> None:
        """Take these as how things are, without telling anybody."""
        ...

    def prepare_files(self, routes: list[AppRoute]) -> None:
        """Write what a proxy needs that is about to start and has no files yet, or those of the version before."""
        ...

    async def configure(self, routes: list[AppRoute], *, deadline_s: float = 0) -> bool:
        """Take these apps and no others; True if the proxy had to be reloaded for it."""
        ...

    async def lacks_backends(self) -> bool:
        """Whether the running proxy cannot route every app that is known, and needs `configure` before anything."""
        ...

    async def wait_until_up(self, deadline_s: float = ...) -> str:
        """The proxy's version, as soon as it answers."""
        ...

    async def version(self) -> str: ...

    async def preview(self, app: str, server: Server) -> None:
        """Let `ask_preview` reach a candidate; no traffic goes there."""
        ...

    async def end_preview(self, app: str) -> None: ...

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        """Send all requests of the app that begin from now on to `server`, the container of `colour`."""
        ...

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        """Ask once through the app's own route; raises ProxyError if it is not `colour` that answers well."""
        ...

    async def mark_up(self, app: str) -> None:
        """The active container was away on purpose and has proved itself again."""
        ...

    async def forget_route(self, app: str) -> None:
        """No release of the app is live."""
        ...

    async def set_fallback(self, app: str, colour: Colour | None) -> None:
        """Let the container of `colour` serve while the other colour's does not answer at all; None: nobody does."""
        ...

    async def ask(self, app: str, path: str) -> httpx.Response:
        """GET as a client of the app, by the orchestrator's own way in."""
        ...

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        """GET from the container of `colour`, whatever the traffic does; an answer within `timeout_s` seconds."""
        ...

    async def ask_preview(self, app: str, path: str, timeout_s: float) -> httpx.Response:
        """GET from the candidate; an answer within `timeout_s` seconds."""
        ...

    def answered_for(self, answer: httpx.Response) -> bool:
        """Whether it was the fallback that answered, not the container that was asked."""
        ...

    async def open_preview_websocket(self, app: str, path: str, timeout_s: float) -> str:
        """Begin a WebSocket handshake with the candidate; the status line that it answers, empty for none in time."""
        ...

    async def sessions(self, app: str, colour: Colour) -> int:
        """Requests and WebSockets that the colour still has in hand."""
        ...

    async def cut_sessions(self, app: str, colour: Colour) -> None: ...

    async def pause(self, app: str, limit_s: float) -> None:
        """Keep new requests of the app waiting, each for at most `limit_s` seconds, then answered with 503."""
        ...

    async def resume(self, app: str) -> None: ...

    async def paused(self) -> set[str]:
        """The apps whose requests wait."""
        ...
