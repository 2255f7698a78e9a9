"""Fixed addresses of containers, so that the proxy reaches a container after a restart of the host."""

from __future__ import annotations

import ipaddress

import docker

from orchestrator.errors import EngineError


def free_address(client: docker.DockerClient, network_name: str, taken: set[str]) -> str:
    """The highest free address of the subnet that is outside of the network's ip_range, from which Docker chooses.

    Raises EngineError when the network has no ip_range smaller than its subnet, or no address is free.
    """
    network = client.networks.get(network_name)
    settings = network.attrs["IPAM"]["Config"][0]
    subnet = ipaddress.ip_network(settings["Subnet"])
    own_range = ipaddress.ip_network(settings.get("IPRange") or settings["Subnet"])
    if own_range == subnet:
        raise EngineError(
            f"Network {network_name} has no ip_range that is smaller than its subnet.",
            f"Remove it and create it again: docker network rm {network_name}; make up",
        )
    used = taken | _fixed_addresses(client, network_name)
    top = int(subnet.broadcast_address)
    for number in range(top - 1, int(subnet.network_address) + 1, -1):
        address = type(subnet.network_address)(number)
        if address in own_range:
            break
        if str(address) not in used:
            return str(address)
    raise EngineError(f"Network {network_name} ({subnet}) has no free address.", "Use a larger subnet.")


def _fixed_addresses(client: docker.DockerClient, network_name: str) -> set[str]:
    """The addresses of all containers; also those of stopped ones, which Docker does not reserve."""
    addresses = set()
    for container in client.containers.list(all=True, filters={"network": network_name}, ignore_removed=True):
        endpoint = container.attrs["NetworkSettings"]["Networks"].get(network_name) or {}
        fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address")
        addresses |= {address for address in (fixed, endpoint.get("IPAddress")) if address}
    return addresses
