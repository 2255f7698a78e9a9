"""The servers of a running HAProxy: their addresses and states (management guide, section 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.errors import ProxyError
from orchestrator.proxy.routes import Server
from orchestrator.proxy.runtime import Worker

MAINTENANCE = 0x01 | 0x04
"""Bits of srv_admin_state for maintenance: set by a command, or by `disabled` in the configuration."""


@dataclass(frozen=True)
class ServerState:
    """The state of one server in one worker."""

    server: Server
    in_maintenance: bool


async def states(worker: Worker, backend: str = "") -> dict[str, ServerState]:
    """`backend/server` -> state, of all backends or of one. Empty for a backend that the worker does not have."""
    lines = (await worker.ask(f"show servers state {backend}".strip())).splitlines()
    heading = next((line.removeprefix("# ").split() for line in lines if line.startswith("# be_id")), [])
    found = {}
    for line in lines:
        row = line.split()
        if row and len(row) == len(heading) and row[0].isdigit():
            cells = dict(zip(heading, row, strict=True))
            found[f"{cells['be_name']}/{cells['srv_name']}"] = ServerState(
                Server(cells["srv_addr"], int(cells["srv_port"])), bool(int(cells["srv_admin_state"]) & MAINTENANCE)
            )
    return found


async def bring_in(worker: Worker, name: str, server: Server) -> None:
    """Set the address of the server `name`, and let it receive requests. Raises ProxyError."""
    _refused_unless_changed(await worker.ask_all(_to_bring_in(name, server)), f"the address {server} for {name}")


async def exchange(worker: Worker, name: str, server: Server, leaving: str) -> None:
    """Bring in the server `name` with this address, then put `leaving` into maintenance. Raises ProxyError."""
    commands = [*_to_bring_in(name, server), _to_take_out(leaving)]
    _refused_unless_changed(await worker.ask_all(commands), f"the address {server} for {name}")


async def take_out(worker: Worker, name: str) -> None:
    """Put a server into maintenance: it gets no new requests, and finishes those it has. Raises ProxyError."""
    await worker.tell(_to_take_out(name))


async def bring_in_all(worker: Worker, wanted: Mapping[str, Server | None]) -> None:
    """Bring in each server of `wanted` that has an address there and does not have it yet. Raises ProxyError."""
    actual = await states(worker)
    for name, server in wanted.items():
        if server and actual.get(name) != ServerState(server, in_maintenance=False):
            await bring_in(worker, name, server)


async def take_out_all(worker: Worker, wanted: Mapping[str, Server | None]) -> None:
    """Put each server of `wanted` without an address there into maintenance. Raises ProxyError."""
    actual = await states(worker)
    for name, server in wanted.items():
        if server is None and name in actual and not actual[name].in_maintenance:
            await take_out(worker, name)


async def limit_all(worker: Worker, wanted: Mapping[str, int]) -> None:
    """Set how many requests each server of `wanted` gets at the same time; 0: no limit. Raises ProxyError."""
    answer = await worker.ask_all(f"set maxconn server {name} {most}" for name, most in wanted.items())
    if answer:
        raise ProxyError(f"HAProxy refused the limit of connections: {answer}.")


def _to_bring_in(name: str, server: Server) -> list[str]:
    return [f"set server {name} addr {server.address} port {server.port}", f"set server {name} state ready"]


def _to_take_out(name: str) -> str:
    return f"set server {name} state maint"


def _refused_unless_changed(answer: str, what: str) -> None:
    """A change of an address is answered by a sentence, a change of a state by nothing."""
    for line in answer.splitlines() or ["no answer"]:
        if "changed from" not in line and "nothing changed" not in line:
            raise ProxyError(f"HAProxy refused {what}: {line}.")
