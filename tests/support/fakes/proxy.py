"""A proxy in memory: its files, and what the running one does, which a kill can leave apart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import httpx

from orchestrator.domain.colour import Colour
from orchestrator.domain.in_hand import InHand
from orchestrator.errors import ProxyError
from orchestrator.proxy.routes import AppRoute, Server
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.power import Power
from tests.support.fakes.traffic import FakeRequestLog, FakeStatistics


@dataclass(frozen=True)
class Answering:
    """The backend of this colour answers; `instead`: by its fallback, the standby in the place of the active one."""

    colour: Colour
    instead: bool


class FakeProxy:
    """Implements the Proxy protocol. `running` is where each app's requests go; `files` what a restart would do."""

    def __init__(self, engine: FakeEngine, power: Power | None = None) -> None:
        self.spare_backends = 8
        self._engine = engine
        self._power = power or Power()
        self._routes: dict[str, AppRoute] = {}
        self.running: dict[str, Server] = {}
        self.answering: dict[str, Answering] = {}
        """By which server of which backend the requests go to `running`."""
        self.files: dict[str, Colour] = {}
        self.waiting: set[str] = set()
        self.previews: dict[str, Server] = {}
        self.open_sessions = self.open_at_standby = 0
        self.long_lived = InHand()
        self.refuses_switch = False
        self.refuses_confirmation = False
        self.refused_resumes = 0
        self.refuses_configuration = False
        self.answered_by_standby = 0
        self.rested: list[Colour] = []
        self.asked = self.asked_where = 0
        self.configured = 0

        self.statistics, self.request_log = FakeStatistics(), FakeRequestLog()
        self.leads_elsewhere = ""
        """Why the public frontend does not lead to the app."""

    def restarted(self) -> FakeProxy:
        """What a new orchestrator knows of the same proxy: nothing yet."""
        again = type(self)(self._engine, self._power)
        again.running, again.files, again.waiting = self.running, self.files, self.waiting
        again.answering = self.answering
        again.refused_resumes = self.refused_resumes
        return again

    def route(self, app: str) -> AppRoute:
        if app not in self._routes:
            raise ProxyError(f"{app} has no route.", "Configure it.")
        return self._routes[app]

    async def addresses(self) -> set[str]:
        return {server.address for route in self._routes.values() for server in route.servers.values()}

    def colour_in_file(self, app: str) -> Colour | None:
        return self.files.get(app)

    def server_in_file(self, app: str, colour: Colour) -> Server | None:
        return self.running.get(app) if self.files.get(app) is colour else None

    def know(self, routes: list[AppRoute]) -> None:
        self._routes = {route.app: route for route in routes}

    def prepare_files(self, routes: list[AppRoute]) -> None:
        self.know(routes)

    async def configure(self, routes: list[AppRoute], *, deadline_s: float = 0) -> bool:
        if self.refuses_configuration:
            raise ProxyError("The proxy does not answer.", "Start it.")
        self.configured += 1
        self.know([new.with_containers_of(self._routes.get(new.app, new)) for new in routes])
        self.files = {route.app: route.active for route in self._routes.values() if route.active}
        for app in set(self.running) - set(self.files):
            del self.running[app]
        for route in self._routes.values():
            if route.active and (server := route.server_of(route.active) or route.fallback_of(route.active)):
                self.running[route.app] = server
                self.answering[route.app] = Answering(route.active, instead=not route.server_of(route.active))
        return False

    async def lacks_backends(self) -> bool:
        return False

    async def wait_until_up(self, deadline_s: float = 0) -> str:
        return "3.0"

    async def version(self) -> str:
        return "3.0"

    async def preview(self, app: str, server: Server) -> None:
        await asyncio.sleep(0)
        self._power.before("preview")
        self.previews[app] = server
        self._power.after()
        await asyncio.sleep(0)

    async def end_preview(self, app: str) -> None:
        await asyncio.sleep(0)
        self._power.before("end preview")
        self.previews.pop(app, None)
        self._power.after()
        await asyncio.sleep(0)

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        route = self.route(app)
        await asyncio.sleep(0)
        self._power.before("switch: files")
        self.files[app] = colour
        self._power.after()
        await asyncio.sleep(0)
        if self.refuses_switch:
            raise ProxyError("The proxy does not answer.", "Start it.")
        await asyncio.sleep(0)
        self._power.before("switch: running proxy")
        self.running[app] = server
        self.answering[app] = Answering(colour, instead=False)
        self._routes[app] = replace(route, active=colour, servers=route.servers | {colour: server}, failed_over=False)
        self._power.after()
        await asyncio.sleep(0)

    async def set_server(self, app: str, colour: Colour, server: Server | None) -> None:
        route = self.route(app)
        if route.servers.get(colour) == server:
            return
        self._power.before("set server")
        others = {one: kept for one, kept in route.servers.items() if one is not colour}
        self._routes[app] = replace(route, servers=others | ({colour: server} if server else {}))
        self._power.after()

    async def unreached(self, app: str) -> str:
        self.asked_where += 1
        return self.leads_elsewhere

    async def confirm(self, app: str, colour: Colour, path: str) -> None:
        if self.refuses_confirmation or not (await self.ask(app, path)).is_success:
            raise ProxyError(f"After the switch {app} does not answer.")

    async def forget_route(self, app: str) -> None:
        await asyncio.sleep(0)
        self._power.before("forget route")
        self.files.pop(app, None)
        self.running.pop(app, None)
        self._routes[app] = replace(self.route(app), active=None, servers={}, failed_over=False)
        self._power.after()
        await asyncio.sleep(0)

    async def fail_over(self, app: str, active: Colour) -> None:
        await asyncio.sleep(0)
        self._power.before("fail over")
        route = self.route(app)
        if route.active is not active or active.other not in route.servers:
            raise ProxyError(f"{app} cannot fail over.")
        self._routes[app] = replace(route, failed_over=True)
        self.running[app] = route.servers[active.other]
        self.answering[app] = Answering(active, instead=True)
        self._power.after()
        await asyncio.sleep(0)

    async def go_back(self, app: str) -> None:
        await asyncio.sleep(0)
        self._power.before("go back")
        route = self.route(app)
        self._routes[app] = replace(route, failed_over=False)
        if route.active and route.active in route.servers:
            self.running[app] = route.servers[route.active]
            self.answering[app] = Answering(route.active, instead=False)
        self._power.after()
        await asyncio.sleep(0)

    async def rest(self, app: str, colour: Colour) -> None:
        self.rested.append(colour)

    async def answers_of_standby(self, app: str) -> int:
        return self.answered_by_standby

    async def ask(self, app: str, path: str) -> httpx.Response:
        return self._answer(self.running.get(app))

    async def ask_colour(self, app: str, colour: Colour, path: str, timeout_s: float) -> httpx.Response:
        route = self.route(app)
        return self._answer(route.server_of(colour) or route.fallback_of(colour))

    async def ask_preview(self, app: str, path: str, timeout_s: float) -> httpx.Response:
        return self._answer(self.previews.get(app))

    async def open_preview_websocket(self, app: str, path: str, timeout_s: float) -> str:
        return "HTTP/1.1 101 Switching Protocols"

    async def sessions(self, app: str, colour: Colour, *, instead: bool = False) -> int:
        return (await self.in_hand(app, colour, instead=instead)).total

    async def in_hand(self, app: str, colour: Colour, *, instead: bool = False) -> InHand:
        requests = self.open_sessions + (self.open_at_standby if instead else 0)
        return InHand(requests=requests) + self.long_lived

    async def cut_long_lived(self, app: str, colour: Colour, older_than_s: float) -> InHand:
        cut, self.long_lived = self.long_lived, InHand()
        return cut

    async def cut_sessions(self, app: str, colour: Colour, *, instead: bool = False) -> None:
        self.open_sessions, self.long_lived = 0, InHand()
        self.open_at_standby = 0 if instead else self.open_at_standby

    async def pause(self, app: str, limit_s: float) -> None:
        await asyncio.sleep(0)
        self._power.before("pause requests")
        self.waiting.add(app)
        self._power.after()
        await asyncio.sleep(0)

    async def resume(self, app: str) -> None:
        if self.refused_resumes:
            self.refused_resumes -= 1
            raise ProxyError("The proxy does not answer.", "Start it.")
        await asyncio.sleep(0)
        self._power.before("resume requests")
        self.waiting.discard(app)
        self._power.after()
        await asyncio.sleep(0)

    async def paused(self) -> set[str]:
        return set(self.waiting)

    def _answer(self, server: Server | None) -> httpx.Response:
        self.asked += 1
        name = self._engine.at(server.address) if server else ""
        return httpx.Response(200 if name and self._engine.can_run(name) else 503, text=name)
