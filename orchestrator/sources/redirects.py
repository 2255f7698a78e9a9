"""Where a server may lead: to another address, which is looked at once and then asked, and nothing in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from border.plain import plain
from border.urls import without_credentials
from orchestrator.errors import StepFailed
from orchestrator.sources.private_address import addresses_of, has_proxy, is_private, why_not_asked

AGAIN_LATER = "It is asked again at the next check. Check the address, and that this host reaches it."


def is_same_server(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def request_at(url: str, headers: Mapping[str, str], at: str) -> dict[str, Any]:  # Any: arguments of httpx
    """A request to the address `at` of the host, which was looked at; empty: to whichever it has now."""
    if not at:
        return {"url": url, "headers": headers}
    parts = httpx.URL(url)
    # The certificate is the one of the name (HTTPX, "Extensions": sni_hostname).
    named = {"url": parts.copy_with(host=at), "headers": {**headers, "host": parts.netloc.decode()}}
    return {**named, "extensions": {"sni_hostname": parts.host}}


async def where_it_leads(url: str, location: str, *, is_secret: bool = True) -> tuple[str, str]:
    """The whole address of what a server names, which may be relative to its own, and the IP address to ask it at;
    the latter is empty for any. Raises StepFailed for one that must not be followed: a server on the internet must not
    have us ask what only this host reaches, nor lead from what is encrypted to what is not; the latter may be with a
    file whose digest is known, where `is_secret` is False.

    A name may have another address at the next look. So the one that was looked at is asked, unless a proxy does that.
    """
    try:
        leads_to = urljoin(url, location)
        httpx.URL(leads_to)
        is_web = urlsplit(leads_to).scheme in ("http", "https") and urlsplit(leads_to).port != 0
    except (ValueError, httpx.InvalidURL) as error:
        raise StepFailed(f"{shown(url)} leads to {shown(location)}, which is no address.", AGAIN_LATER) from error
    why, at = "", ""
    if not is_web:
        why = "that is no web server"
    elif is_secret and urlsplit(url).scheme == "https" != urlsplit(leads_to).scheme:
        why = "that is not encrypted"
    elif not is_same_server(url, leads_to) and not await is_private(*_host_and_port(url)):
        found, by_proxy = await addresses_of(*_host_and_port(leads_to)), has_proxy(leads_to)
        why = f"that {not_asked}" if (not_asked := why_not_asked(found, by_proxy=by_proxy)) else ""
        at = found[0] if found and not by_proxy else ""
    if why:
        raise StepFailed(
            f"{shown(url)} leads to {shown(leads_to)}, which is not followed: {why}.",
            "If it is right, write that address into the configuration.",
        )
    return leads_to, at


def _host_and_port(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)  # as the one who asks reads it
    return parts.host, parts.port or 0


def shown(url: str) -> str:
    return plain(without_credentials(url))[:300]
