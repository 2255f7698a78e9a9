"""HAProxy as the proxy: routes, previews, the switch, pause and resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.proxy import backends
from orchestrator.proxy.app_requests import AppRequests
from orchestrator.proxy.app_sessions import AppSessions
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.internal_way import InternalWay
from orchestrator.proxy.proxy_files import ProxyFiles
from orchestrator.proxy.public_way import PublicWay
from orchestrator.proxy.request_log import RingLog
from orchestrator.proxy.retry import retrying
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.running_proxy import RunningProxy
from orchestrator.proxy.statistics import WorkerStatistics
from orchestrator.proxy.worker_end import Tell

START_DEADLINE_S = 30.0
SPARE_BACKENDS = 8


class HAProxy(AppSessions, AppRequests):
    """HAProxy, by the files in the shared volume `folder` and the sockets that it opens there.

    Each app has numbered backends (backends.py). Files are written before the running proxy is changed, so that a
    restarted proxy has the same routes. A change of a route, of any app, locks `_lock` until files, memory and every
    worker have it.

    `spare_backends` is how many apps can be added before the proxy must be reloaded. A change takes effect at the next
    reload.
    """

    def __init__(self, folder: Path, spare_backends: int = SPARE_BACKENDS, tell: Tell | None = None) -> None:
        self.spare_backends = spare_backends
        self._files = ProxyFiles(folder)
        self._running = RunningProxy(folder, tell)
        self._internal = InternalWay(folder)
        self._public = PublicWay(folder)
        self._routes: dict[str, AppRoute] = {}
        self._numbers: dict[str, int] = {}
        self.statistics = WorkerStatistics(folder, lambda: self._numbers)
        self.request_log = RingLog(folder, lambda: self._numbers)
        self._lock = asyncio.Lock()
        self._pauses: SharedQuestion[set[str]] = SharedQuestion()
        """Each probe asks it, of each app."""

    # Known routes

    def route(self, app: str) -> AppRoute:
        if app not in self._routes:
            raise ProxyError(f"{app} has no route at the proxy.", "Check that the configuration has this app.")
        return self._routes[app]

    async def addresses(self) -> set[str]:
        routed = {server.address for route in self._routes.values() for server in route.servers.values()}
        return routed | await self._running.known_addresses()

    def colour_in_file(self, app: str) -> Colour | None:
        return self._files.colour(app)

    def server_in_file(self, app: str, colour: Colour) -> Server | None:
        number = self._files.numbers().get(app)
        return self._files.server(backends.backend(number, colour)) if number else None

    def know(self, routes: list[AppRoute]) -> None:
        numbers = self._numbers or self._files.numbers()
        self._numbers = backends.assign(numbers, [route.app for route in routes], self._files.declared())
        self._routes = {route.app: route for route in routes}

    # The configuration

    def prepare_files(self, routes: list[AppRoute]) -> None:
        """Write the files for a proxy that is not running yet, or that is about to be replaced by this version's.

        Existing files of this version are kept: they have the traffic map. Files of the previous version are no
        configuration for the new image, which may start at once: they are written again for the same colours.
        """
        self.know([replace(route, active=self.colour_in_file(route.app) or route.active) for route in routes])
        if not self._files.complete:
            self._write_all()
        self.know(routes)

    async def configure(self, routes: list[AppRoute], *, deadline_s: float = 0) -> bool:
        """Replace all routes by these. Reloads the proxy, without failed requests, if it lacks backends.

        Of a known app, only what leads to it is taken, because a switch may be changing the rest. Retries for
        `deadline_s` seconds, because the proxy's container is replaced during an upgrade. Returns True if the proxy was
        reloaded. Raises ProxyError; then the earlier routes are known and written again.
        """
        async with self._lock:
            before = self._routes, self._numbers
            try:
                self.know([new.with_containers_of(self._routes.get(new.app, new)) for new in routes])
                self._write_all()
                return await self._bring_up_to_date(deadline_s)
            except BaseException:
                self._routes, self._numbers = before
                self._write_all()
                raise

    async def lacks_backends(self) -> bool:
        return not await self._running.has_backends(self._numbers.values())

    async def _bring_up_to_date(self, deadline_s: float) -> bool:
        """Bring the running proxy to the files. A proxy that has started with the new files is not reloaded."""
        reloaded = False
        async for attempt in retrying(deadline_s):
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
        async for attempt in retrying(deadline_s):
            with attempt:
                return await self._running.answers()
        raise AssertionError  # the loop ends by return or by an error

    async def version(self) -> str:
        return await self._running.version()

    # The preview route. Requests by it: app_requests.py

    async def preview(self, app: str, server: Server) -> None:
        async with self._lock:
            # In the files, so that a reload for another app, or a restart, keeps it.
            self._routes[app] = replace(self.route(app), candidate=server)
            self._write_configuration()
            await self._running.bring_in(self._preview(app), server)

    async def end_preview(self, app: str) -> None:
        """The next write of the files leaves it out: the undo of a deployment needs no room on the disk."""
        async with self._lock:
            self._routes[app] = replace(self.route(app), candidate=None)
            await self._running.take_out(self._preview(app))

    # The switch

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        """Switch: route all new requests of `app` to `server`, the container of `colour`.

        The change is atomic at the proxy. When this returns, the map names the new backend, read back from every worker
        that can reach it (running_proxy.py). Raises ProxyError; then the caller must switch back, because some workers
        may have switched.
        """
        backend = self._backend(app, colour)

        def switched(route: AppRoute) -> AppRoute:
            servers = route.servers | {colour: server}
            return replace(route, active=colour, servers=servers, failed_over=False, candidate=None)

        async with self._changed(app, switched):
            await self._running.exchange(backend, server)
            self._write_traffic()
            await self._send_traffic(app, backend, server)

    async def _send_traffic(self, app: str, backend: str, server: Server) -> None:
        """Change the running proxy; the files name the new backend already."""
        await self._running.send_traffic(app, backend, server)

    async def set_server(self, app: str, colour: Colour, server: Server | None) -> None:
        """Set the container of a colour that does not have the traffic. Does nothing if it is that one already."""
        if self.route(app).servers.get(colour) == server:
            return

        def with_server(route: AppRoute) -> AppRoute:
            others = {one: kept for one, kept in route.servers.items() if one is not colour}
            return replace(route, servers=others | ({colour: server} if server else {}))

        async with self._changed(app, with_server) as route:
            if route.failed_over and route.active and server:
                await self._answer_instead(route, server)

    async def forget_route(self, app: str) -> None:
        async with self._changed(app, lambda route: replace(route, active=None, servers={}, failed_over=False)):
            self._write_traffic()
            await self._running.stop_traffic(app)

    async def fail_over(self, app: str, active: Colour) -> None:
        """Let the other colour's container answer, also requests that wait for the active one."""

        def failed_over(route: AppRoute) -> AppRoute:
            if route.active is not active or active.other not in route.servers:
                raise ProxyError(f"{app} cannot fail over: {active} is not active or the standby has no address.")
            return replace(route, failed_over=True)

        async with self._changed(app, failed_over) as route:
            await self._answer_instead(route, route.servers[active.other])

    async def _answer_instead(self, route: AppRoute, standby: Server) -> None:
        """HAProxy uses the fallback, a backup server, only when the other one is in maintenance."""
        assert route.active is not None
        await self._running.exchange(self._backend(route.app, route.active), standby, ServerName.FALLBACK)
        # By its own colour it is asked for its health, which does not count as one of its answers.
        await self._running.bring_in(self._backend(route.app, route.active.other), standby)

    async def go_back(self, app: str) -> None:
        """Let the active container answer again; the standby finishes what it has in hand."""
        async with self._changed(app, lambda route: replace(route, failed_over=False)) as route:
            if route.active and (server := route.servers.get(route.active)):
                await self._running.exchange(self._backend(app, route.active), server)

    @asynccontextmanager
    async def _changed(self, app: str, change: Callable[[AppRoute], AppRoute]) -> AsyncIterator[AppRoute]:
        """Lock, and change the app's route in memory and in the configuration. Gives the new one.

        If the block, which changes the running proxy, fails, memory and files have the route of before: who asked can
        ask again, or for the opposite.
        """
        async with self._lock:
            before = self.route(app)
            self._routes[app] = changed = change(before)
            try:
                self._write_configuration()
                yield changed
            except BaseException:
                self._routes[app] = before
                with suppress(ProxyError):  # the disk may be full: the error of before says so
                    self._write_configuration()
                    self._write_traffic()
                raise

    async def rest(self, app: str, colour: Colour) -> None:
        """Put the server of a colour without traffic into maintenance, and close its idle connections."""
        async with self._lock:
            if self.route(app).active is not colour:
                await self._running.take_out(self._backend(app, colour))

    async def answers_of_standby(self, app: str) -> int:
        # Of both: a switch ends a failover, too.
        return await self._running.answers_of(*(f"{self._backend(app, one)}/{ServerName.FALLBACK}" for one in Colour))

    def _write_traffic(self) -> None:
        self._files.write_traffic(list(self._routes.values()), self._numbers)

    # Sessions: app_sessions.py

    def _servers(self, app: str, colour: Colour) -> tuple[str, str]:
        self.route(app)
        return backends.servers_of(self._numbers[app], colour)

    # Pause

    async def pause(self, app: str, limit_s: float) -> None:
        """Pause new requests until `resume`, also after a restart of the proxy."""
        limit_ms = str(int(limit_s * 1000))
        self._files.write_pauses(self._files.pauses() | {app: limit_ms})
        await self._running.pause(app, limit_ms)

    async def resume(self, app: str) -> None:
        """Resume requests, also if the file cannot be written: ProxyError is raised after that."""
        no_room = None
        try:
            self._files.write_pauses({one: limit for one, limit in self._files.pauses().items() if one != app})
        except ProxyError as error:
            no_room = error
        await self._running.resume(app)
        if no_room:
            raise no_room

    async def paused(self) -> set[str]:
        """The apps that are paused in the running proxy or in its files."""
        return await self._pauses.ask(self._paused)

    async def _paused(self) -> set[str]:
        return {*await self._running.paused(), *self._files.pauses()}

    def _backend(self, app: str, colour: Colour) -> str:
        self.route(app)
        return backends.backend(self._numbers[app], colour)

    def _preview(self, app: str) -> str:
        self.route(app)
        return backends.preview(self._numbers[app])
