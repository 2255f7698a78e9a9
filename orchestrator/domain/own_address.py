"""Addresses such as 127.0.0.1, which a server of this host has for people: the orchestrator runs in a container, and is
there itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

HOST = "host.docker.internal"
"""The name of this host in the orchestrator's container (compose.yaml, extra_hosts)."""
INSTEAD = (
    f"For a server on this host that listens on all of its addresses, write {HOST} instead; for one in a container, "
    "its name in Changeover's network. See docs/panel-sources.md, Addresses"
)
OF_REGISTRY = "See docs/registry.md, A registry on this server, for a name that both the orchestrator and Docker know"


def is_own(host: str) -> bool:
    """Whether a host, without its port, is in a container the container itself."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def leads_to_own(url: str) -> bool:
    """Whether a URL is of such a host."""
    try:
        return is_own(urlsplit(url).hostname or "")
    except ValueError:  # a bracket that is not closed
        return False


def why_own(host: str) -> str:
    """The middle of a sentence about an address."""
    return f"{host} is the orchestrator's own container, and not this host"
