"""Ports and subnets that nobody else has: neither another worker of this run nor another checkout's tests."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing
from typing import Any

import docker
from docker.errors import APIError

PORTS = range(20000, 32000)
"""Below those that Linux gives to outgoing connections (32768 and up): one of them may take a free port any time."""
TRIES = 50


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def create_network(engine: docker.DockerClient, name: str) -> None:
    """With a subnet of its own: one that overlaps another network's is refused by the engine, and another is tried."""
    for tries_left in reversed(range(TRIES)):
        subnet, addresses = _some_subnet(213)
        pool = docker.types.IPAMPool(subnet=subnet, iprange=addresses)
        try:
            engine.networks.create(name, ipam=docker.types.IPAMConfig(pool_configs=[pool]))
            return
        except APIError as error:
            if "overlap" not in str(error) or not tries_left:
                raise


def free_subnet() -> tuple[str, str]:
    """A subnet that no network has, and the part of it from which the engine gives addresses."""
    with closing(docker.from_env()) as engine:
        taken = {subnet for network in engine.networks.list() for subnet in _subnets(network)}
    while True:
        subnet, addresses = _some_subnet(214)
        if subnet not in taken:
            return subnet, addresses


def _some_subnet(second: int) -> tuple[str, str]:
    third = secrets.randbelow(256)
    return f"10.{second}.{third}.0/24", f"10.{second}.{third}.0/27"


def _subnets(network: Any) -> list[str]:
    return [str(one["Subnet"]) for one in network.attrs["IPAM"]["Config"] or ()]
