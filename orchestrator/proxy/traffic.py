"""The proxy as the pipeline knows it: routes, previews, the switch, hold and release."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from orchestrator import durable
from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import rendering
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.runtime import Runtime

START_DEADLINE_S = 30.0
CONFIRM_TIMEOUT_S = 5.0
CONFIGURATION = "haproxy.cfg"
HOLDS = "hold.map"


class Proxy:
    """HAProxy, by the files in `folder` (the volume it shares with us) and the sockets it opens there.

    What is in the files is written before the running proxy is told, so that one that restarts comes back the same.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runtime = Runtime(folder)
        self._routes: dict[str, AppRoute] = {}
        # Connections to a local socket cost nothing, and one that is kept would be one that a reload has closed.
        # No certificates: loading them takes 20 ms and megabytes, and nothing here speaks TLS.
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(self.internal_socket), verify=False, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            base_url="http://changeover.internal",
            timeout=CONFIRM_TIMEOUT_S,
        )
        # One writer of files and maps at a time, whichever apps are being switched.
        self._lock = asyncio.Lock()

    def route(self, app: str) -> AppRoute:
        """Raises ProxyError for an app that is not routed: it was taken out of the configuration."""
        if app not in self._routes:
            raise ProxyError(f"{app} has no route any more.", "Is it still in the configuration?")
        return self._routes[app]

    def colour_in_file(self, app: str) -> Colour | None:
        """The colour that the map file names: what a proxy that starts now would do."""
        _, _, colour = _read_map(self._folder / "active.map").get(app, "").rpartition("_")
        return Colour(colour) if colour else None

    async def configure(self, routes: list[AppRoute]) -> bool:
        """Take these apps and no others. Reloads, hitlessly, if that changes the configuration; True if it did.

        Of an app that is known already only what leads to it is taken: a switch may just be changing the rest.
        """
        async with self._lock:
            known = self._routes
            self._routes = {new.app: _with_ways_of(known.get(new.app, new), new) for new in routes}
            self._write_maps()
            if self._write_configuration():
                await self._runtime.reload()
                return True
            for route in self._routes.values():
                if route.active:
                    await self._set_map(rendering.ACTIVE_MAP, route.app, route.backend(route.active))
            return False

    def know(self, routes: list[AppRoute]) -> None:
        """Take these as how things are, without telling anybody."""
        self._routes = {route.app: route for route in routes}

    def prepare_files(self, routes: list[AppRoute]) -> None:
        """The files alone, for a proxy that is not up yet. Those that are there already say where traffic goes."""
        self.know(routes)
        if not (self._folder / CONFIGURATION).exists():
            self._write_maps()
            self._write_configuration()

    async def wait_until_up(self, deadline_s: float = START_DEADLINE_S) -> str:
        """HAProxy's version, as soon as it answers. Raises ProxyError when it does not in time."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(ProxyError),
            stop=stop_after_delay(deadline_s),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            reraise=True,
        ):
            with attempt:
                return await self.version()
        raise AssertionError("tenacity raises when it gives up")

    async def version(self) -> str:
        answer = await self._runtime.ask("show info")
        return next((line.removeprefix("Version: ") for line in answer.splitlines() if line.startswith("Version:")), "")

    async def preview(self, app: str, server: Server) -> None:
        """Let the internal way in reach a candidate; no traffic goes there."""
        await self._bring_in(f"{self.route(app).preview}/app", server)

    async def end_preview(self, app: str) -> None:
        await self._take_out(f"{self.route(app).preview}/app")

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        """Send all requests of `app` that begin from now on to `server`, the new container of `colour`.

        Atomic at the proxy. When this returns, the proxy has said that its map names the new backend, in every worker
        that still takes requests. Raises ProxyError if it did not; switching back to where it was is right then.
        """
        async with self._lock:
            route = self.route(app)
            backend = route.backend(colour)
            self._routes[app] = replace(
                route, active=colour, servers=route.servers | {colour: server}, fallbacks=frozenset()
            )
            try:
                self._write_configuration()
                await self._take_out(f"{backend}/fallback")
                await self._bring_in(f"{backend}/app", server)
                await self._runtime.tell(f"set server {backend}/app health up")
                self._write_maps()
                await self._set_map(rendering.ACTIVE_MAP, app, backend)
            except BaseException:
                # Whatever is written next, for this app or another, must not name what was not reached.
                self._routes[app] = route
                raise

    async def mark_up(self, app: str) -> None:
        """The active container was away on purpose and has proved itself again: do not wait for the next check."""
        route = self.route(app)
        if route.active:
            await self._runtime.tell(f"set server {route.backend(route.active)}/app health up")

    async def forget_route(self, app: str) -> None:
        """Undo a first switch: no release of the app is live."""
        async with self._lock:
            self._routes[app] = replace(self.route(app), active=None)
            self._write_maps()
            for ask in await self._workers():
                await ask(f"del map {rendering.ACTIVE_MAP} {app}")

    async def set_fallback(self, app: str, colour: Colour | None) -> None:
        """Let the container of `colour` serve while the other colour's does not answer at all; None: nobody does."""
        async with self._lock:
            route = replace(self.route(app), fallbacks=frozenset({colour} if colour else ()))
            self._routes[app] = route
            self._write_configuration()
            for one in Colour:
                server = route.servers.get(one.other) if one.other in route.fallbacks else None
                if server:
                    await self._bring_in(f"{route.backend(one)}/fallback", server)
                else:
                    await self._take_out(f"{route.backend(one)}/fallback")

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        """Ask once through the app's own route and see who answers. Raises ProxyError if it is another colour."""
        answer = await self.ask(path, app=app)
        expected = self.route(app).backend(colour) + "/app"
        served_by = answer.headers.get(rendering.HEADER_SERVED_BY, "nobody")
        if served_by != expected:
            raise ProxyError(f"After the switch {served_by} answered for {app}, not {expected}.")
        if answer.status_code >= 500:
            raise ProxyError(f"After the switch {expected} answered {path} with status {answer.status_code}.")

    async def ask(self, path: str, *, app: str = "", backend: str = "") -> httpx.Response:
        """GET by the internal way in: the route of `app`, or the backend named."""
        headers = {rendering.HEADER_BACKEND: backend} if backend else {rendering.HEADER_APP: app}
        try:
            return await self._client.get(path, headers=headers)
        except httpx.HTTPError as error:
            raise ProxyError(
                f"No answer from {backend or app} through the proxy: {error or type(error).__name__}."
            ) from error

    @staticmethod
    def is_by_fallback(answer: httpx.Response) -> bool:
        """Whether the standby answered in the place of the active release."""
        return str(answer.headers.get(rendering.HEADER_SERVED_BY, "")).endswith("/fallback")

    @property
    def internal_socket(self) -> Path:
        return self._folder / "internal.sock"

    async def sessions(self, app: str, colour: Colour) -> int:
        """Requests and WebSockets that the colour still has in hand, in every worker."""
        command = f"show stat {self.route(app).backend(colour)} 4 -1"
        return sum([_current_sessions(await ask(command)) for ask in await self._workers()])

    async def cut_sessions(self, app: str, colour: Colour) -> None:
        """End what the colour still has in hand, in every worker."""
        command = f"shutdown sessions server {self.route(app).backend(colour)}/app"
        for ask in await self._workers():
            await ask(command)

    async def pause(self, app: str, limit_s: float) -> None:
        """Keep new requests of the app waiting, each for at most `limit_s`, then answered with 503.

        Also after a restart of the proxy, until they are released.
        """
        limit_ms = str(int(limit_s * 1000))
        self._write_holds(_read_map(self._folder / HOLDS) | {app: limit_ms})
        await self._set_map(rendering.HOLD_MAP, app, limit_ms)

    async def resume(self, app: str) -> None:
        """Let the held requests go, also where the file, by which a proxy that starts would hold them, has no room."""
        no_room = None
        try:
            self._write_holds({held: limit for held, limit in _read_map(self._folder / HOLDS).items() if held != app})
        except ProxyError as error:
            no_room = error
        for ask in await self._workers():
            await ask(f"del map {rendering.HOLD_MAP} {app}")
            if app in _map_entries(await ask(f"show map {rendering.HOLD_MAP}")):
                raise ProxyError(f"HAProxy still holds {app} after it was told to release it.")
        if no_room:
            raise no_room

    async def paused(self) -> set[str]:
        """By the running proxy, or by one that starts from its files."""
        running = _map_entries(await self._runtime.ask(f"show map {rendering.HOLD_MAP}"))
        return {*running, *_read_map(self._folder / HOLDS)}

    async def _bring_in(self, name: str, server: Server) -> None:
        answer = await self._runtime.ask(
            f"set server {name} addr {server.address} port {server.port};set server {name} state ready"
        )
        for line in filter(None, map(str.strip, answer.splitlines())):
            if "changed from" not in line and "nothing changed" not in line:
                raise ProxyError(f"HAProxy refused the address {server} for {name}: {line}.")

    async def _take_out(self, name: str) -> None:
        await self._runtime.tell(f"set server {name} state maint")

    async def _set_map(self, file: str, key: str, value: str) -> None:
        """Set, or add, and read back, in every worker that may still see a request."""
        for ask in await self._workers():
            known = key in _map_entries(await ask(f"show map {file}"))
            await ask(f"{'set' if known else 'add'} map {file} {key} {value}")
            if _map_entries(await ask(f"show map {file}")).get(key) != value:
                raise ProxyError(f"HAProxy's map {Path(file).name} does not say '{key} {value}' after it was set.")

    async def _workers(self) -> list[Callable[[str], Awaitable[str]]]:
        """A way to ask each worker, the current one first: after a reload an old one may still take requests."""
        old = await self._runtime.old_workers()
        return [self._runtime.ask, *(functools.partial(self._runtime.ask_old_worker, pid) for pid in old)]

    def _write_maps(self) -> None:
        self._write("active.map", rendering.active_map(self._routes.values()))
        if not (self._folder / HOLDS).exists():
            self._write_holds({})

    def _write_holds(self, held: dict[str, str]) -> None:
        self._write(HOLDS, "".join(f"{app} {limit_ms}\n" for app, limit_ms in held.items()))

    def _write_configuration(self) -> bool:
        """True if it is another one than before."""
        return self._write(CONFIGURATION, rendering.render(self._routes.values()))

    def _write(self, name: str, text: str) -> bool:
        """True if it is another text than before. What is the same needs no room on a full disk."""
        path = self._folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        try:
            durable.write(path, text)
        except OSError as error:
            raise ProxyError(
                f"The proxy's {name} cannot be written: {error.strerror}.",
                "'changeover doctor' shows what takes the room on the disk.",
            ) from error
        return True


def _with_ways_of(known: AppRoute, new: AppRoute) -> AppRoute:
    return replace(known, host=new.host, path=new.path, default=new.default)


def _read_map(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(line.split() for line in path.read_text(encoding="utf-8").splitlines() if len(line.split()) == 2)


def _map_entries(listing: str) -> dict[str, str]:
    """Keys and values in an answer of `show map`, whose lines are address, key, value."""
    rows = (line.split() for line in listing.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3}


def _current_sessions(listing: str) -> int:
    """The sum of scur over the servers in an answer of `show stat`, which is CSV with a commented heading."""
    heading, *rows = [line for line in listing.splitlines() if line] or [""]
    names = heading.lstrip("# ").split(",")
    if "scur" not in names:
        return 0
    column = names.index("scur")
    return sum(int(row.split(",")[column] or 0) for row in rows if row.split(",")[names.index("svname")] == "app")
