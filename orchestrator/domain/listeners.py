"""Where the processes of a container listen, from the kernel's tables, and what is wrong with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

MOST_NAMED = 5
_LISTEN = "0A"
_ENGINE_DNS = ipaddress.ip_address("127.0.0.11")
"""Docker's own name server, in the network namespace of every container."""


@dataclass(frozen=True)
class Listener:
    """A TCP socket that waits for connections."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


def listeners(tables: Iterable[str]) -> tuple[Listener, ...]:
    """The listening sockets in lines of /proc/net/tcp and tcp6 (proc_net_tcp in the kernel's documentation)."""
    found = []
    for line in tables:
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTEN and (one := _listener(fields[1])) and one.address != _ENGINE_DNS:
            found.append(one)
    return tuple(dict.fromkeys(found))


def why_unreachable(found: Iterable[Listener], port: int, *, refused: Iterable[Listener] = ()) -> str:
    """Why nothing answers at `port` of the container's address; empty if something should, or nothing listens yet.

    `refused`: what listened before connections by IPv4 were refused. The kernel's tables do not say whether a socket of
    IPv6 takes those, too (IPV6_V6ONLY in ipv6(7)); one that has refused them does not.
    """
    found, for_six_only = list(found), {one for one in refused if one.address.version == 6}
    if not found or any(one.port == port and not one.address.is_loopback and one not in for_six_only for one in found):
        return ""
    meant = _meant(found, port)
    six = ", for IPv6 only" if meant[0].address.version == 6 and not meant[0].address.is_loopback else ""
    others = f" and {len(meant) - MOST_NAMED} more" if len(meant) > MOST_NAMED else ""
    named = ", ".join(str(one) for one in meant[:MOST_NAMED])
    return f"it listens on {named}{others}{six}; it must listen on 0.0.0.0:{port}"


def remedy_for(found: Iterable[Listener], port: int, app: str) -> str:
    """What to do where `why_unreachable` says something: the app's address, its port, or both are wrong."""
    meant = _meant(list(found), port)
    nearest = meant[0]
    everywhere = "Let the app listen on 0.0.0.0 instead"
    reached = "only its own container reaches a loopback address"
    if nearest.port == port and not nearest.address.is_loopback:
        return f"{everywhere} of {nearest.address}: requests come to it by IPv4. run.port of {app} is right."
    if nearest.port == port:
        return f"{everywhere} of {nearest.address}: {reached}. run.port of {app} is right."
    if nearest.address.is_loopback:
        return f"{everywhere} of {nearest.address}: {reached}. And set run.port of {app} to {nearest.port}."
    reachable = sorted({one.port for one in meant if not one.address.is_loopback})[:MOST_NAMED]
    if len(reachable) > 1:
        ports = ", ".join(map(str, reachable))
        return f"Set run.port of {app} to the one of {ports} that is meant, or let the app listen on port {port}."
    return f"Set run.port of {app} to {nearest.port}, or let the app listen on port {port}."


def _meant(found: list[Listener], port: int) -> list[Listener]:
    """The one with this port; of others, all: those that can be reached are the first."""
    right = next((one for one in found if one.port == port), None)
    return [right] if right else sorted(found, key=lambda one: (one.address.is_loopback, one.port))


def _listener(local: str) -> Listener | None:
    """`0100007F:0BB8` is 127.0.0.1:3000: words of four bytes in the order of the processor, which is little-endian."""
    address, _, port = local.partition(":")
    try:
        words = bytes.fromhex(address)
        packed = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
        ip = ipaddress.ip_address(packed)
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return Listener(mapped or ip, int(port, 16))
