"""HAProxy as the proxy of base.py: routes, previews, the switch, pause and resume."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.haproxy_config import HEADER_SERVED_BY
from orchestrator.proxy.internal_way import InternalWay
from orchestrator.proxy.proxy_files import ProxyFiles
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.running_proxy import RunningProxy

START_DEADLINE_S = 30.0
SPARE_BACKENDS = 8


class HAProxy:
    """HAProxy, by the files in `folder` (the volume it shares with us) and the sockets it opens there.

    Each app has numbered backends (backends.py). Files are written before the running proxy is told, so that one that
    restarts comes back the same. What changes a route holds `_lock` until files, memory and every worker agree,
    whichever app it is about.

    `spare_backends` is how many apps can be added before the proxy is reloaded; another number counts from the next
    reload on.
    """

    def __init__(self, folder: Path, spare_backends: int = SPARE_BACKENDS) -> None:
        self.spare_backends = spare_backends
        self._files = ProxyFiles(folder)
        self._running = RunningProxy(folder)
        self._internal = InternalWay(folder)
        self._routes: dict[str, AppRoute] = {}
        self._numbers: dict[str, int] = {}
        self._lock = asyncio.Lock()

    # What is known

    def route(self, app: str) -> AppRoute:
        if app not in self._routes:
            raise ProxyError(f"{app} has no route any more.", "Is it still in the configuration?")
        return self._routes[app]

    def colour_in_file(self, app: str) -> Colour | None:
        return self._files.colour(app)

    def know(self, routes: list[AppRoute]) -> None:
        numbers = self._numbers or self._files.numbers()
        self._numbers = backends.assign(numbers, [route.app for route in routes], self._files.declared())
        self._routes = {route.app: route for route in routes}

    # The configuration

    def prepare_files(self, routes: list[AppRoute]) -> None:
        """The files alone, for a proxy that is not up yet, or is about to be replaced by one of this version.

        Files of this version that are there already say where traffic goes. Those of the version before are no
        configuration for the new image, which may start as soon as we answer: they are written anew, for the same
        colours.
        """
        self.know([replace(route, active=self.colour_in_file(route.app) or route.active) for route in routes])
        if not self._files.complete:
            self._write_all()
        self.know(routes)

    async def configure(self, routes: list[AppRoute], *, deadline_s: float = 0) -> bool:
        """Take these apps and no others. Reloads, hitlessly, if the running proxy lacks backends; True if it did.

        Of an app that is known already only what leads to it is taken: a switch may just be changing the rest.
        A proxy that is away, or refuses the configuration, is asked again until `deadline_s` has passed: at an upgrade
        its container is about to be replaced. Raises ProxyError; what was known before is then known and written again.
        """
        async with self._lock:
            before = self._routes, self._numbers
            try:
                self.know([_with_ways_of(self._routes.get(new.app, new), new) for new in routes])
                self._write_all()
                return await self._bring_up_to_date(deadline_s)
            except BaseException:
                self._routes, self._numbers = before
                self._write_all()
                raise

    async def lacks_backends(self) -> bool:
        return not await self._running.has_backends(self._numbers.values())

    async def _bring_up_to_date(self, deadline_s: float) -> bool:
        """One that was replaced meanwhile has started with the new files, and needs no reload."""
        reloaded = False
        async for attempt in _retrying(deadline_s):
            with attempt:
                if not await self._running.runs_this_configuration() or await self.lacks_backends():
                    await self._running.reload()
                    reloaded = True
                self._files.remove_those_of_the_previous_version()
                await self._running.take(list(self._routes.values()), self._numbers, self._files.declared())
        return reloaded

    def _write_all(self) -> None:
        self._files.write_all(list(self._routes.values()), self._numbers, self.spare_backends)

    def _write_configuration(self) -> None:
        self._files.write_configuration(list(self._routes.values()), self._numbers, self.spare_backends)

    async def wait_until_up(self, deadline_s: float = START_DEADLINE_S) -> str:
        async for attempt in _retrying(deadline_s):
            with attempt:
                return await self._running.answers()
        raise AssertionError("tenacity raises when it gives up")

    async def version(self) -> str:
        return await self._running.version()

    # Asking an app

    async def preview(self, app: str, server: Server) -> None:
        await self._running.bring_in(self._preview(app), server)

    async def end_preview(self, app: str) -> None:
        await self._running.take_out(self._preview(app))

    async def ask(self, app: str, path: str) -> httpx.Response:
        return await self._internal.ask_app(app, path)

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        whose = f"{app} ({colour})"
        return await self._internal.ask_backend(self._backend(app, colour), path, whose=whose, timeout_s=timeout_s)

    async def ask_preview(self, app: str, path: str, timeout_s: float) -> httpx.Response:
        whose = f"the candidate of {app}"
        return await self._internal.ask_backend(self._preview(app), path, whose=whose, timeout_s=timeout_s)

    async def open_preview_websocket(self, app: str, path: str, timeout_s: float) -> str:
        return await self._internal.open_websocket(self._preview(app), path, timeout_s)

    def answered_for(self, answer: httpx.Response) -> bool:
        return _served_by(answer).endswith(f"/{ServerName.FALLBACK}")

    # The switch

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        """Send all requests of `app` that begin from now on to `server`, the new container of `colour`.

        Atomic at the proxy. When this returns, the proxy has said that its map names the new backend, in every worker
        that can reach it (running_proxy.py). Raises ProxyError if it did not; switching back to where it was is right
        then.
        """
        async with self._lock:
            route, backend = self.route(app), self._backend(app, colour)
            self._routes[app] = replace(
                route, active=colour, servers=route.servers | {colour: server}, fallbacks=frozenset()
            )
            try:
                self._write_configuration()
                await self._running.take_out(backend, ServerName.FALLBACK)
                await self._running.bring_in(backend, server)
                await self._running.mark_up(backend)
                self._write_traffic()
                await self._send_traffic(app, backend, server)
            except BaseException:
                # Whatever is written next, for this app or another, must not name what was not reached.
                self._routes[app] = route
                raise

    async def _send_traffic(self, app: str, backend: str, server: Server) -> None:
        """Between the files, which name the new backend already, and the running proxy, which does not yet."""
        await self._running.send_traffic(app, backend, server)

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        answer = await self.ask(app, path)
        served_by = _served_by(answer)
        if served_by != f"{self._backend(app, colour)}/{ServerName.APP}":
            raise ProxyError(f"After the switch of {app} to {colour}, {served_by or 'nobody'} answered instead.")
        if answer.status_code >= 500:
            raise ProxyError(
                f"After the switch of {app} to {colour}, its answer to {path} has status {answer.status_code}."
            )

    async def mark_up(self, app: str) -> None:
        """Does not wait for the next check of the active container."""
        route = self.route(app)
        if route.active:
            await self._running.mark_up(self._backend(app, route.active))

    async def forget_route(self, app: str) -> None:
        async with self._lock:
            self._routes[app] = replace(self.route(app), active=None)
            self._write_traffic()
            await self._running.stop_traffic(app)

    async def set_fallback(self, app: str, colour: Colour | None) -> None:
        async with self._lock:
            route = replace(self.route(app), fallbacks=frozenset({colour} if colour else ()))
            self._routes[app] = route
            self._write_configuration()
            for one in Colour:
                if server := route.fallback_of(one):
                    await self._running.bring_in(self._backend(app, one), server, ServerName.FALLBACK)
                else:
                    await self._running.take_out(self._backend(app, one), ServerName.FALLBACK)

    def _write_traffic(self) -> None:
        self._files.write_traffic(list(self._routes.values()), self._numbers)

    # Sessions

    async def sessions(self, app: str, colour: Colour) -> int:
        return await self._running.sessions(self._backend(app, colour))

    async def cut_sessions(self, app: str, colour: Colour) -> None:
        await self._running.cut_sessions(self._backend(app, colour))

    # Pause

    async def pause(self, app: str, limit_s: float) -> None:
        """Also after a restart of the proxy, until `resume`."""
        limit_ms = str(int(limit_s * 1000))
        self._files.write_pauses(self._files.pauses() | {app: limit_ms})
        await self._running.pause(app, limit_ms)

    async def resume(self, app: str) -> None:
        """Let the requests go, also where the file, by which a proxy that starts would pause them, has no room."""
        no_room = None
        try:
            self._files.write_pauses({one: limit for one, limit in self._files.pauses().items() if one != app})
        except ProxyError as error:
            no_room = error
        await self._running.resume(app)
        if no_room:
            raise no_room

    async def paused(self) -> set[str]:
        """By the running proxy, or by one that starts from its files."""
        return {*await self._running.paused(), *self._files.pauses()}

    def _backend(self, app: str, colour: Colour) -> str:
        self.route(app)
        return backends.backend(self._numbers[app], colour)

    def _preview(self, app: str) -> str:
        self.route(app)
        return backends.preview(self._numbers[app])


def _retrying(deadline_s: float) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(ProxyError),
        stop=stop_after_delay(deadline_s),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )


def _served_by(answer: httpx.Response) -> str:
    return str(answer.headers.get(HEADER_SERVED_BY, ""))


def _with_ways_of(known: AppRoute, new: AppRoute) -> AppRoute:
    return replace(known, host=new.host, path=new.path, default=new.default)
