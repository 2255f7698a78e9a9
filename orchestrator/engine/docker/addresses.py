"""Fixed addresses of containers, so that the proxy reaches a container after a restart of the host."""

from __future__ import annotations

import ipaddress
import threading
import time
from itertools import chain

import docker
from docker.models.networks import Network

from orchestrator.errors import EngineError

RESERVED_S = 600.0
NOT_RUNNING = ["created", "restarting", "removing", "exited", "dead"]
"""All states of a container but running and paused (Docker Engine API, GET /containers/json)."""


class AddressPool:
    """The fixed addresses of a stack's network: the one owner of them, for all apps that are deployed at once.

    An address that was given out is reserved until its container exists, at most for RESERVED_S seconds. Addresses are
    given out in turn, so that a freed one is given to another container as late as possible.
    """

    def __init__(self, network: str) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._reserved: dict[str, float] = {}
        self._last: str | None = None

    def take(self, client: docker.DockerClient, taken: set[str]) -> str:
        """An address that neither `taken`, nor a container, nor another caller has. Raises EngineError."""
        with self._lock:
            now = time.monotonic()
            self._reserved = {one: until for one, until in self._reserved.items() if until > now}
            address = free_address(client, self._network, taken | set(self._reserved), after=self._last)
            self._reserved[address] = now + RESERVED_S
            self._last = address
            return address

    def used(self, address: str) -> None:
        """A container has this address now: the engine knows of it, and it need not be reserved any more."""
        with self._lock:
            self._reserved.pop(address, None)


def free_address(client: docker.DockerClient, network_name: str, taken: set[str], *, after: str | None = None) -> str:
    """The next free address of the subnet outside of the network's ip_range, from which Docker chooses.

    Addresses are taken from the top to the bottom, beginning below `after`, then again from the top. Raises EngineError
    when the network has no ip_range smaller than its subnet, or no address is free.
    """
    # Asked before and after: a container that starts, or ends, in between is in one of the answers.
    at_first = _of_those_that_do_not_run(client, network_name)
    network = client.networks.get(network_name)
    settings = network.attrs["IPAM"]["Config"][0]
    subnet = ipaddress.ip_network(settings["Subnet"])
    own_range = ipaddress.ip_network(settings.get("IPRange") or settings["Subnet"])
    if own_range == subnet:
        raise EngineError(
            f"Network {network_name} has no ip_range that is smaller than its subnet.",
            f"Remove it and create it again: docker network rm {network_name}; make up",
        )
    used = taken | at_first | _connected(network) | _of_those_that_do_not_run(client, network_name)
    top, bottom = int(subnet.broadcast_address) - 1, int(subnet.network_address) + 2
    start = int(ipaddress.ip_address(after)) - 1 if after else top
    for number in chain(range(min(start, top), bottom - 1, -1), range(top, max(start, bottom - 1), -1)):
        address = type(subnet.network_address)(number)
        if address not in own_range and str(address) not in used:
            return str(address)
    raise EngineError(f"Network {network_name} ({subnet}) has no free address.", "Use a larger subnet.")


def _connected(network: Network) -> set[str]:
    """The addresses of all containers that run, paused ones too."""
    endpoints = (network.attrs.get("Containers") or {}).values()
    return {str(one["IPv4Address"]).partition("/")[0] for one in endpoints if one.get("IPv4Address")}


def _of_those_that_do_not_run(client: docker.DockerClient, network_name: str) -> set[str]:
    """The addresses that were given to them, which Docker does not reserve.

    Only these are asked for: Docker needs a quarter of a millisecond for each container that it lists.
    """
    addresses = set()
    for container in client.api.containers(all=True, filters={"network": network_name, "status": NOT_RUNNING}):
        endpoint = container["NetworkSettings"]["Networks"].get(network_name) or {}
        fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address")
        addresses |= {address for address in (fixed, endpoint.get("IPAddress")) if address}
    return addresses
