"""Which hosts are not on the internet: a server there must not have us ask what only this host reaches."""

from __future__ import annotations

import asyncio
import ipaddress
import socket


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver orders them. Raises OSError and UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_global(address: str) -> bool:
    """Whether an address is one of the internet, also where it is an IPv4 address written as one of IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global


async def is_private(host: str, port: int) -> bool:
    """Whether one of the host's addresses is not on the internet. A host that has none cannot be asked anyway."""
    try:
        found = await addresses_of(host, port)
    except (OSError, UnicodeError):
        return False
    return not all(map(is_global, found))
