"""Addresses that a container keeps for its life, so that the proxy finds it after a restart of the machine, too."""

from __future__ import annotations

import ipaddress

import docker

from orchestrator.errors import EngineError


def free_address(client: docker.DockerClient, network_name: str, taken: set[str]) -> str:
    """From the top of the subnet downwards: Docker itself chooses from the network's ip_range, at its bottom.

    Raises EngineError when the network has no such range, or no address is left.
    """
    network = client.networks.get(network_name)
    settings = network.attrs["IPAM"]["Config"][0]
    subnet = ipaddress.ip_network(settings["Subnet"])
    own_range = ipaddress.ip_network(settings.get("IPRange") or settings["Subnet"])
    if own_range == subnet:
        raise EngineError(
            f"network {network_name} leaves Docker free to choose any of its addresses.",
            "Remove it and let compose make it again: it needs an ip_range smaller than its subnet.",
        )
    used = taken | _fixed_addresses(client, network_name)
    top = int(subnet.broadcast_address)
    for number in range(top - 1, int(subnet.network_address) + 1, -1):
        address = type(subnet.network_address)(number)
        if address in own_range:
            break
        if str(address) not in used:
            return str(address)
    raise EngineError(f"no free address is left in network {network_name} ({subnet}).", "Use a larger subnet.")


def _fixed_addresses(client: docker.DockerClient, network_name: str) -> set[str]:
    """Also those of stopped containers, which Docker itself has forgotten until they start again."""
    addresses = set()
    for container in client.containers.list(all=True, filters={"network": network_name}, ignore_removed=True):
        endpoint = container.attrs["NetworkSettings"]["Networks"].get(network_name) or {}
        fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address")
        addresses |= {address for address in (fixed, endpoint.get("IPAddress")) if address}
    return addresses
