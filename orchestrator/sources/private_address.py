"""Which hosts are not on the internet: a server there must not have us ask what only this host reaches.

A host may have several addresses, and others at the next look. What names another one counts as on the internet unless
all of its addresses are elsewhere; what it names must have no address elsewhere, and is asked at those that were looked
at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

NOT_ON_THE_INTERNET = "is not on the internet"
NOT_KNOWN = "is not known by its name"
_IPV4_AT_THE_END = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96"))


@dataclass(frozen=True)
class Judgement:
    """What was found when a server was judged, which its name may contradict at the next look. `is_public`: it counts
    as on the internet. `addresses`: it is asked there; none: wherever it is when it is asked."""

    is_public: bool = False
    addresses: tuple[str, ...] = ()


NOT_JUDGED = Judgement()


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver orders them; none if its name is not known."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_global(address: str) -> bool:
    """Whether an address is one of the internet, also where it is an IPv4 address written as one of IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return (_ipv4_within(found) or found).is_global


def _ipv4_within(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that one of IPv6 leads to: mapped or compatible (RFC 4291, 2.5.5), 6to4 (RFC 3056) or by NAT64
    (RFC 6052, the well-known prefix)."""
    if not isinstance(found, ipaddress.IPv6Address):
        return None
    if any(found in network for network in _IPV4_AT_THE_END) and int(found) > 1:  # `::` and `::1` are themselves
        return ipaddress.IPv4Address(int(found) & (2**32 - 1))
    return found.ipv4_mapped or found.sixtofour


async def is_private(host: str, port: int) -> bool:
    """Whether a host is known to be elsewhere than on the internet, with all of its addresses."""
    found = await addresses_of(host, port)
    return bool(found) and not any(map(is_global, found))


def why_not_asked(addresses: Sequence[str], *, by_proxy: bool) -> str:
    """Why a server on the internet must not have us ask a host with these addresses, as the end of a sentence about it;
    empty if it may. `by_proxy`: a proxy of the machine asks it, and looks for its addresses; here it may have none."""
    if not all(map(is_global, addresses)):
        return NOT_ON_THE_INTERNET
    # Asked by its name nevertheless, it could have any address by then.
    return "" if addresses or by_proxy else NOT_KNOWN


async def judged(host: str, port: int, *, by_proxy: bool) -> tuple[str, Judgement]:
    """Why a server on the internet must not have us ask this host, as `why_not_asked` has it, and what was found."""
    found = await addresses_of(host, port)
    return why_not_asked(found, by_proxy=by_proxy), Judgement(True, () if by_proxy else tuple(found))


def has_proxy(url: str) -> bool:
    """Whether a proxy of the machine asks this server, by its name (HTTPS_PROXY, NO_PROXY)."""
    parts = urlsplit(url)
    proxies = getproxies()
    return bool(proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.netloc)
