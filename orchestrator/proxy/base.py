"""The protocol of the proxy, as the rest of the orchestrator uses it. `haproxy.py` implements it."""

from __future__ import annotations

from typing import Protocol

import httpx

from orchestrator.domain.colour import Colour
from orchestrator.domain.in_hand import InHand
from orchestrator.proxy.request_log import RequestLog
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.statistics import Statistics


class Proxy(Protocol):
    """The proxy. Every async method raises ProxyError when the proxy does not answer or did not carry out a command."""

    spare_backends: int
    """How many apps can be added without a reload of the proxy (`proxy.spare_backends`)."""

    @property
    def statistics(self) -> Statistics:
        """What it has counted."""

    @property
    def request_log(self) -> RequestLog:
        """What it has answered."""

    def route(self, app: str) -> AppRoute:
        """The app's current route. Raises ProxyError for an app that is not in the configuration."""
        ...

    async def addresses(self) -> set[str]:
        """The addresses that the proxy knows for any app, in any worker: no other container may get one of them."""
        ...

    def colour_in_file(self, app: str) -> Colour | None:
        """The colour that has the app's traffic according to the proxy's files, which the proxy reads at its start."""
        ...

    def server_in_file(self, app: str, colour: Colour) -> Server | None:
        """The server of a colour according to the proxy's files; None if they have none."""
        ...

    def know(self, routes: list[AppRoute]) -> None:
        """Set the known routes. Does not write files or contact the proxy."""
        ...

    def prepare_files(self, routes: list[AppRoute]) -> None:
        """Write the files that a proxy needs for its start, if it has none, or those of the previous version."""
        ...

    async def configure(self, routes: list[AppRoute], *, deadline_s: float = 0) -> bool:
        """Replace all routes by these. Retries for `deadline_s` seconds. Returns True if the proxy was reloaded."""
        ...

    async def lacks_backends(self) -> bool:
        """Whether the running proxy lacks backends for known apps, so that `configure` must be called first."""
        ...

    async def wait_until_up(self, deadline_s: float = ...) -> str:
        """Wait until the proxy answers, at most `deadline_s` seconds. Returns its version."""
        ...

    async def version(self) -> str: ...

    async def preview(self, app: str, server: Server) -> None:
        """Set the preview route to a candidate. It gets requests of `ask_preview` only."""
        ...

    async def end_preview(self, app: str) -> None: ...

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        """Switch: route all new requests of the app to `server`, the container of `colour`."""
        ...

    async def set_server(self, app: str, colour: Colour, server: Server | None) -> None:
        """Set the container of a colour that does not have the traffic; None: it has none."""
        ...

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        """Send GET `path` by the app's route. Raises ProxyError unless `colour` answers with a status below 500."""
        ...

    async def forget_route(self, app: str) -> None:
        """Remove the app's traffic route: no release of the app is live."""
        ...

    async def fail_over(self, app: str, active: Colour) -> None:
        """Let the standby's container answer for the active colour, also requests that wait for the active container.

        The caller must know that the active container is gone. Raises ProxyError if `active` is not the active colour.
        """
        ...

    async def go_back(self, app: str) -> None:
        """Let the active container answer again, after `fail_over`."""
        ...

    async def rest(self, app: str, colour: Colour) -> None:
        """Close the idle connections to the container of a colour that has no traffic. Does nothing if it has."""
        ...

    async def answers_of_standby(self, app: str) -> int:
        """How many requests the standby has answered in the active colour's place, since the proxy's start."""
        ...

    async def ask(self, app: str, path: str) -> httpx.Response:
        """Send GET `path` by the app's route, through the proxy's internal socket."""
        ...

    async def unreached(self, app: str) -> str:
        """Why requests with the app's hosts and path do not reach its active colour; empty if they do.

        The proxy itself answers this, by its public frontend: the app gets no request.
        """
        ...

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        """Send GET `path` to the container of `colour`, with or without traffic. Waits `timeout_s` seconds."""
        ...

    async def ask_preview(self, app: str, path: str, timeout_s: float) -> httpx.Response:
        """Send GET `path` to the candidate. Waits `timeout_s` seconds for its answer."""
        ...

    async def open_preview_websocket(self, app: str, path: str, timeout_s: float) -> str:
        """Send a WebSocket handshake to the candidate. Returns its status line, empty after `timeout_s`."""
        ...

    async def sessions(self, app: str, colour: Colour, *, instead: bool = False) -> int:
        """The number of requests and WebSockets that the colour serves now, also those that it serves in the place of
        the other one; with `instead`, also those that the other one serves in its place."""
        ...

    async def in_hand(self, app: str, colour: Colour, *, instead: bool = False) -> InHand:
        """What the colour serves now, by kind; `instead` as in `sessions`."""
        ...

    async def cut_long_lived(self, app: str, colour: Colour, older_than_s: float) -> InHand:
        """End the WebSockets of the colour, and streams that began earlier. Returns what was ended."""
        ...

    async def cut_sessions(self, app: str, colour: Colour, *, instead: bool = False) -> None:
        """End what the colour serves now, `instead` as in `sessions`. When this returns, that is nothing any more."""
        ...

    async def pause(self, app: str, limit_s: float) -> None:
        """Pause new requests of the app. Each waits at most `limit_s` seconds, then it is answered with status 503."""
        ...

    async def resume(self, app: str) -> None: ...

    async def paused(self) -> set[str]:
        """The apps whose requests are paused."""
        ...
