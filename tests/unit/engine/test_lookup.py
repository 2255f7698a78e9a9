"""Starting and waking a container, whatever somebody has done to it by hand."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engine.docker import lookup

NETWORK, ADDRESS = "changeover", "172.31.255.254"


class Engine:
    """Docker's client, its one network and its one container. `done` is what it was asked to do, in that order."""

    def __init__(self, status: str, networks: dict[str, Any]) -> None:
        self.status = status
        self.attrs = {"NetworkSettings": {"Networks": networks}}
        self.networks = self
        self.done: list[str] = []

    def get(self, network: str) -> Engine:
        assert network == NETWORK
        return self

    def unpause(self) -> None:
        self.done.append("unpause")

    def start(self) -> None:
        self.done.append("start")

    def disconnect(self, container: object, force: bool) -> None:
        self.done.append("disconnect")

    def connect(self, container: object, ipv4_address: str) -> None:
        self.done.append(f"connect {ipv4_address}")


IN_PLACE = {NETWORK: {"IPAMConfig": {"IPv4Address": ADDRESS}}}
MOVED = {NETWORK: {"IPAMConfig": {}, "IPAddress": "172.31.0.4"}}
OTHER = {"database": {"IPAMConfig": None, "IPAddress": ADDRESS}}


@pytest.mark.parametrize(
    ("status", "networks", "done"),
    [
        ("running", IN_PLACE, []),
        ("paused", IN_PLACE, ["unpause"]),
        ("exited", IN_PLACE, ["start"]),
        ("running", MOVED, ["disconnect", f"connect {ADDRESS}"]),
        ("running", {}, [f"connect {ADDRESS}"]),
        ("running", OTHER, [f"connect {ADDRESS}"]),
        ("paused", {}, ["unpause", f"connect {ADDRESS}"]),
        ("exited", {}, [f"connect {ADDRESS}", "start"]),
    ],
)
def test_a_container_is_woken_at_its_address(status: str, networks: dict[str, Any], done: list[str]) -> None:
    engine: Any = Engine(status, networks)

    lookup.wake(engine, engine, NETWORK, ADDRESS)

    assert engine.done == done


def test_without_an_address_a_container_stays_where_it_is() -> None:
    engine: Any = Engine("running", {})

    lookup.wake(engine, engine, NETWORK, "")

    assert engine.done == []
