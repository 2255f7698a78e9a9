"""Addresses of web servers: whether somebody can be asked there at all."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx


def why_no_address(url: str) -> str:
    """Why this is no address of a web server, as the end of a sentence; empty if it is one."""
    try:
        parts = urlsplit(url)
        is_whole = parts.port != 0 and bool(httpx.URL(url).host)
    # The latter one for a port beyond 65535, a host that has no encoding (RFC 5891), and lone surrogates.
    except (httpx.InvalidURL, ValueError):
        is_whole = False
    # What the libraries say may quote a part of a password.
    return "" if is_whole else "its host or its port cannot be one"
