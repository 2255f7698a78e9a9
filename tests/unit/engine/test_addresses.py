"""Addresses of a stack's network: no two containers get the same one, however many are deployed at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from orchestrator.engine.docker.addresses import AddressPool
from orchestrator.errors import EngineError


def network(subnet: str, own: str, running: tuple[str, ...] = (), stopped: tuple[str, ...] = ()) -> docker.DockerClient:
    """As much of the SDK's client as is asked: a network, with its containers' fixed addresses."""
    connected = {f"id-{address}": {"IPv4Address": f"{address}/29"} for address in running}
    attrs = {"IPAM": {"Config": [{"Subnet": subnet, "IPRange": own}]}, "Containers": connected}
    containers: list[Any] = [
        {"NetworkSettings": {"Networks": {"net": {"IPAMConfig": {"IPv4Address": address}}}}} for address in stopped
    ]
    client = SimpleNamespace(
        networks=SimpleNamespace(get=lambda _name: SimpleNamespace(attrs=attrs)),
        api=SimpleNamespace(containers=lambda **_options: containers),
    )
    return cast(docker.DockerClient, client)


def test_a_hundred_deployments_at_once_get_a_hundred_addresses() -> None:
    client, pool = network("10.1.0.0/24", "10.1.0.0/27"), AddressPool("net")

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _number: pool.take(client, set()), range(100)))

    assert len(set(found)) == 100


def test_what_a_container_or_a_route_has_is_not_given_out() -> None:
    client, pool = network("10.1.0.0/28", "10.1.0.0/31", ("10.1.0.14",), ("10.1.0.13",)), AddressPool("net")

    assert pool.take(client, {"10.1.0.12"}) == "10.1.0.11"


@pytest.mark.parametrize("way", ["starts", "ends"])
def test_the_address_of_a_container_that_starts_or_ends_meanwhile_is_not_given_out(way: str) -> None:
    """As all do when the engine is restarted. It was in neither answer: not connected yet, and running by then."""
    nobody: tuple[str, ...] = ()
    before, after = (nobody, ("10.1.0.14",)) if way == "starts" else (("10.1.0.14",), nobody)
    first = network("10.1.0.0/28", "10.1.0.0/31", before, stopped=after)
    then = network("10.1.0.0/28", "10.1.0.0/31", after, stopped=before)
    asked = 0

    def answer(of: str) -> Any:
        nonlocal asked
        asked += 1
        return getattr(first if asked == 1 else then, of)

    class Changing:
        networks = property(lambda _self: answer("networks"))
        api = property(lambda _self: answer("api"))

    assert AddressPool("net").take(cast(docker.DockerClient, Changing()), set()) == "10.1.0.13"


def test_a_freed_address_is_given_out_again_only_after_all_others() -> None:
    """Each container is gone, and its address free, before the next one is made."""
    client, pool = network("10.1.0.0/28", "10.1.0.0/29"), AddressPool("net")

    def take(*taken: str) -> str:
        address = pool.take(client, set(taken))
        pool.used(address)
        return address

    found = [take() for _ in range(7)]
    again = [take(found[2]) for _ in range(6)]

    assert len(set(found)) == 7
    assert again == [found[index] for index in (0, 1, 3, 4, 5, 6)]


def test_a_network_without_a_free_address_says_so() -> None:
    client, pool = network("10.1.0.0/29", "10.1.0.0/30"), AddressPool("net")
    for _ in range(3):
        pool.take(client, set())

    with pytest.raises(EngineError, match="address"):
        pool.take(client, set())


def test_a_network_that_leaves_all_addresses_to_docker_is_refused() -> None:
    with pytest.raises(EngineError, match="ip_range"):
        AddressPool("net").take(network("10.1.0.0/24", "10.1.0.0/24"), set())
