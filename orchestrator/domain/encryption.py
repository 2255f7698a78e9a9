"""Where passwords and tokens may be sent: encrypted, or on this machine. One rule for every address."""

from __future__ import annotations

from urllib.parse import urlsplit

ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def may_be_sent_to(url: str) -> bool:
    """Whether what is secret may be sent to this address."""
    try:
        address = urlsplit(url)
        return address.scheme == "https" or (address.scheme == "http" and address.hostname in ON_THIS_MACHINE)
    except ValueError:  # a bracket that is not closed
        return False
