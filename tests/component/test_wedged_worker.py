"""A worker of HAProxy from before a reload that answers nothing is ended: nothing waits for it."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from orchestrator.domain.colour import Colour
from orchestrator.domain.events import Occurrence, ProxyWorkerEnded
from orchestrator.errors import ProxyError
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute
from orchestrator.proxy.runtime import Runtime
from orchestrator.proxy.worker_end import FIFO
from tests.support.app_server import AppServer
from tests.support.proxy_container import ProxyContainer, gateway

CONNECTIONS = 3


async def test_a_worker_that_answers_nothing_is_ended_and_the_switch_goes_on(container: ProxyContainer) -> None:
    told: list[Occurrence] = []

    async def tell(happened: Occurrence) -> None:
        told.append(happened)

    with ExitStack() as stack:
        blue, green = (stack.enter_context(AppServer(name, gateway())) for name in Colour)
        proxy = HAProxy(container.folder, 1, tell=tell)
        route = AppRoute("one", default=True, active=Colour.BLUE, servers={Colour.BLUE: blue.server})
        proxy.prepare_files([route])
        container.start()
        streams = [stack.enter_context(_stream(container.port)) for _ in range(CONNECTIONS)]
        await proxy._running.reload()
        await proxy.configure([route])
        (wedged,) = await _old_workers(container)
        container.freeze(wedged)

        await proxy.switch("one", Colour.GREEN, green.server)

        assert await _old_workers(container) == []
        assert container.get().text == "green"
        (ended,) = told
        assert isinstance(ended, ProxyWorkerEnded)
        assert f"{CONNECTIONS} connections of clients" in ended.cause
        assert all(_is_closed(stream) for stream in streams)

        # A proxy of an earlier version has nobody who ends workers: that is an error, as it was.
        streams.append(stack.enter_context(_stream(container.port)))
        await proxy._running.reload()
        await proxy.configure([proxy.route("one")])
        (container.folder / FIFO).unlink()
        container.freeze((await _old_workers(container))[0])
        with pytest.raises(ProxyError, match="answers nothing, and cannot be ended"):
            await proxy.switch("one", Colour.BLUE, blue.server)


def _stream(port: int) -> socket.socket:
    """A connection on which an answer never ends, which keeps its worker."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"GET /stream HTTP/1.1\r\nhost: one.test\r\n\r\n")
    assert b"200 OK" in connection.recv(1000)
    return connection


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(100_000):
            continue
    except ConnectionResetError:
        return True
    return True


async def _old_workers(container: ProxyContainer) -> list[int]:
    return [worker.pid for worker in await Runtime(container.folder).workers() if worker.pid is not None]
