"""Changes of the running HAProxy, made and read back in every worker that routes requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from orchestrator.domain.in_hand import InHand
from orchestrator.errors import ProxyError
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.proxy import backends, haproxy_config, previous_version, relay, servers, session_kinds, sessions
from orchestrator.proxy.backends import ServerName
from orchestrator.proxy.haproxy_config import (
    LIMITS_MAP,
    PATHS_MAP,
    PAUSE_MAP,
    RETRY_MAP,
    STRIP_MAP,
    TRAFFIC_MAP,
    WAYS_MAP,
)
from orchestrator.proxy.maps import RuntimeMap
from orchestrator.proxy.retry import retrying
from orchestrator.proxy.routes import AppRoute, Server, limits, paths, retries, stripped, ways
from orchestrator.proxy.runtime import Runtime, Worker
from orchestrator.proxy.session_kinds import Session
from orchestrator.proxy.worker_end import Tell

CUT_DEADLINE_S = 2.0


class RunningProxy:
    """Changes a running HAProxy by its sockets in `folder`. Every method raises ProxyError.

    A worker from before a reload passes its new requests to the current one (relay.py), so that routes, switches and
    pauses hold there, too, once the current worker has them. What it had begun is counted and can be cut there.

    An old worker of an earlier version of Changeover cannot relay. Its maps can be changed, its servers cannot: it is
    switched if it has the new server already; otherwise it answers the app's requests with status 503.
    """

    def __init__(self, folder: Path, tell: Tell | None = None) -> None:
        self._runtime = Runtime(folder, tell)
        self._listing = SharedQuestion[list[Session]]()

    async def version(self) -> str:
        return (await self._runtime.about()).get("Version", "")

    async def answers(self) -> str:
        """The version, if master and worker answer. A worker may serve before its master takes commands."""
        await self._runtime.workers()
        return await self.version()

    async def has_backends(self, numbers: Iterable[int]) -> bool:
        needed = {name for number in numbers for name in backends.backend_set(number)}
        return needed <= await self._runtime.backends()

    async def runs_this_configuration(self) -> bool:
        return (await self._runtime.about()).get("description") == haproxy_config.shape()

    async def reload(self) -> None:
        """Start a new worker. The one before relays to it, and ends with its last connection."""
        await relay.turn_on(self._runtime.worker)
        try:
            await self._runtime.reload()
        except ProxyError:
            await relay.turn_off(self._runtime.worker)
            raise

    async def take(self, routes: list[AppRoute], numbers: Mapping[str, int], declared: int) -> None:
        """Bring every worker to these routes. New entries are added before old ones are removed."""
        owners = {numbers[route.app]: route for route in routes}
        where: dict[str, Server | None] = {}
        for number in range(1, declared + 1):
            where |= haproxy_config.servers(number, owners.get(number))
        await relay.turn_off(self._runtime.worker)
        await servers.bring_in_all(self._runtime.worker, where)
        await servers.limit_all(self._runtime.worker, haproxy_config.limits_of(routes, numbers))
        traffic = haproxy_config.traffic(routes, numbers)

        async def maps(worker: Worker) -> None:
            await self._take_traffic(worker, traffic, where)
            wanted = {STRIP_MAP: stripped(routes), WAYS_MAP: ways(routes), PATHS_MAP: paths(routes)}
            await _take_ways(worker, wanted)
            if await RuntimeMap(worker, RETRY_MAP).exists():
                await RuntimeMap(worker, RETRY_MAP).replace(retries(routes))
            if await RuntimeMap(worker, LIMITS_MAP).exists():
                await RuntimeMap(worker, LIMITS_MAP).replace(limits(routes))
            await _remove_others(RuntimeMap(worker, TRAFFIC_MAP), traffic)
            await _remove_others(RuntimeMap(worker, PAUSE_MAP), numbers)

        await self._each_worker(maps)
        await servers.take_out_all(self._runtime.worker, where)

    async def bring_in(self, backend: str, server: Server, name: ServerName = ServerName.APP) -> None:
        await servers.bring_in(self._runtime.worker, f"{backend}/{name}", server)

    async def exchange(self, backend: str, server: Server, name: ServerName = ServerName.APP) -> None:
        """Let this one of the backend's two servers answer at this address, and put the other into maintenance."""
        leaving = ServerName.FALLBACK if name is ServerName.APP else ServerName.APP
        await servers.exchange(self._runtime.worker, f"{backend}/{name}", server, f"{backend}/{leaving}")

    async def take_out(self, backend: str, name: ServerName = ServerName.APP) -> None:
        await servers.take_out(self._runtime.worker, f"{backend}/{name}")

    async def send_traffic(self, app: str, backend: str, server: Server) -> None:
        """Route new requests of the app to the backend, whose server is `server`."""

        async def send(worker: Worker) -> None:
            if await _reaches(worker, backend, server):
                await RuntimeMap(worker, TRAFFIC_MAP).set(app, backend)
            else:
                await RuntimeMap(worker, TRAFFIC_MAP).remove(app)

        await self._each_worker(send)

    async def stop_traffic(self, app: str) -> None:
        await self._each_worker(lambda worker: RuntimeMap(worker, TRAFFIC_MAP).remove(app))

    async def pause(self, app: str, limit_ms: str) -> None:
        await self._each_worker(lambda worker: RuntimeMap(worker, PAUSE_MAP).set(app, limit_ms))

    async def resume(self, app: str) -> None:
        """Resume requests in every worker: in an old one, those wait that were paused there before a reload."""
        await self._each_worker(lambda worker: RuntimeMap(worker, PAUSE_MAP).remove(app), also_relaying=True)
        for worker in (await self._runtime.workers())[1:]:
            await previous_version.resume(worker, app)

    async def paused(self) -> set[str]:
        return set(await RuntimeMap(self._runtime.worker, PAUSE_MAP).entries())

    async def sessions(self, *names: str) -> int:
        """How many requests and WebSockets of clients these servers (`backend/server`) serve, in every worker."""
        workers = await self._runtime.workers()
        return sum([await sessions.count(worker, name) for worker in workers for name in names])

    async def answers_of(self, *names: str) -> int:
        """The number of requests that the servers have answered in the workers that run."""
        workers = await self._runtime.workers()
        return sum([await sessions.total(worker, name) for worker in workers for name in names])

    async def in_hand(self, *names: str) -> InHand:
        """What the servers serve now, by kind, in every worker.

        However many ask at once, HAProxy lists its sessions for one of them at a time, and none that serve nothing.
        """
        workers = await self._runtime.workers()
        if not any([await sessions.has_any(worker, name) for worker in workers for name in names]):
            return InHand()
        return session_kinds.counted(session_kinds.of_servers(await self._listing.ask(self._under_way), names))

    async def _under_way(self) -> list[Session]:
        return [one for each in await self._runtime.workers() for one in await session_kinds.under_way(each)]

    async def cut_long_lived(self, older_than_s: float, *names: str) -> InHand:
        """End the servers' WebSockets, and their streams that are older, in every worker. Returns what was ended."""
        ended = []
        for worker in await self._runtime.workers():
            found = session_kinds.of_servers(await session_kinds.under_way(worker), names)
            ended += await session_kinds.end(worker, [one for one in found if one.is_long_lived(older_than_s)])
        return session_kinds.counted(ended)

    async def cut_sessions(self, *names: str) -> None:
        """End what the servers serve, in every worker. Raises ProxyError if something is not ended."""
        for worker in await self._runtime.workers():
            for name in names:
                await sessions.cut(worker, name)
        async for attempt in retrying(CUT_DEADLINE_S):
            with attempt:
                if left := await self.sessions(*names):
                    raise ProxyError(
                        f"HAProxy did not end {left} connections to {' and '.join(names)}.",
                        "Restart the proxy, which ends them: docker compose restart proxy",
                    )

    async def known_addresses(self) -> set[str]:
        """The addresses of all servers in all workers, also of those without traffic."""
        known = [await servers.states(worker) for worker in await self._runtime.workers()]
        return {state.server.address for states in known for state in states.values()}

    async def _take_traffic(
        self, worker: Worker, traffic: Mapping[str, str], where: Mapping[str, Server | None]
    ) -> None:
        known = await RuntimeMap(worker, TRAFFIC_MAP).entries()
        for app, backend in traffic.items():
            server = where[f"{backend}/{ServerName.APP}"] or where[f"{backend}/{ServerName.FALLBACK}"]
            if known.get(app) != backend and server and await _reaches(worker, backend, server):
                await RuntimeMap(worker, TRAFFIC_MAP).set(app, backend)

    async def _each_worker(self, tell: Callable[[Worker], Awaitable[None]], *, also_relaying: bool = False) -> None:
        """Change the current worker, then the old ones that route requests themselves, or all old ones.

        An old worker that ends meanwhile, or that has no such maps, is skipped.
        """
        current, *old = await self._runtime.workers()
        await tell(current)
        for worker in old:
            try:
                if await RuntimeMap(worker, TRAFFIC_MAP).exists() and (also_relaying or not await relay.relays(worker)):
                    await tell(worker)
            except ProxyError:
                if worker in await self._runtime.workers():
                    raise


async def _reaches(worker: Worker, backend: str, server: Server) -> bool:
    """Whether the worker has the server: the current one was changed before, an old one cannot be changed."""
    if worker.current:
        return True
    known = (await servers.states(worker, backend)).get(f"{backend}/{ServerName.APP}")
    return known == servers.ServerState(server, in_maintenance=False)


async def _take_ways(worker: Worker, wanted: Mapping[str, Mapping[str, str]]) -> None:
    """Replace the maps by two commits each, so that an app that moves between host and path is found at any moment.

    An old worker of an earlier version may lack one of them.
    """
    maps = {file: one for file in wanted if await (one := RuntimeMap(worker, file)).exists()}
    known = {file: await one.entries() for file, one in maps.items()}
    for file, one in maps.items():
        await one.replace({**known[file], **wanted[file]})
    for file, one in maps.items():
        await one.replace(wanted[file])


async def _remove_others(one: RuntimeMap, kept: Iterable[str]) -> None:
    for key in set(await one.entries()) - set(kept):
        await one.remove(key)
