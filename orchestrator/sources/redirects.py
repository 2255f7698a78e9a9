"""Where a server may lead: to another address, which is looked at once and then asked, and nothing in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from border.plain import plain
from border.urls import without_credentials
from orchestrator.domain.own_address import INSTEAD, leads_to_own, why_own
from orchestrator.errors import StepFailed
from orchestrator.host.web_address import why_no_address
from orchestrator.sources.not_reached import LOOK
from orchestrator.sources.private_address import NOT_JUDGED, Judgement, has_proxy, is_global, is_private, judged


@dataclass
class Asked:
    """What was asked: the address that is wanted, and the one that was asked last, to which servers have led."""

    first: str
    last: str

    @property
    def in_words(self) -> str:
        """The beginning of a sentence about why it cannot be read."""
        first, last = shown(self.first), shown(self.last)
        return first if first == last else f"{first} leads to {last}, which"


def is_same_server(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def request_at(url: str, headers: Mapping[str, str], found: Judgement) -> dict[str, Any]:  # Any: arguments of httpx
    """A request to the address of the host that was looked at, or else to whichever it has now."""
    if not found.addresses:
        return {"url": url, "headers": headers}
    parts = httpx.URL(url)
    # The certificate is the one of the name (HTTPX, "Extensions": sni_hostname).
    named = {"url": parts.copy_with(host=found.addresses[0]), "headers": {**headers, "host": parts.netloc.decode()}}
    return {**named, "extensions": {"sni_hostname": parts.host}}


async def where_it_leads(
    url: str, location: str, known: Judgement = NOT_JUDGED, *, is_secret: bool = True
) -> tuple[str, Judgement]:
    """The whole address of what a server names, which may be relative to its own, and what was found of its server.
    `known`: of the server that names it. Raises StepFailed for one that must not be followed: a server on the internet
    must not have us ask what only this host reaches, nor lead from what is encrypted to what is not; the latter may be
    with a file whose digest is known, where `is_secret` is False.

    A name may have another address at the next look. So the one that was looked at is asked, unless a proxy does that.

    `url` is empty where a person has written the address, which may lead anywhere.
    """
    if not url:
        if why := why_no_address(location):
            raise StepFailed(f"{shown(location)} is no address: {why}.", "Correct it in the configuration.")
        return location, known
    try:
        leads_to = urljoin(url, location)
        is_web = urlsplit(leads_to).scheme in ("http", "https")
    except ValueError as error:
        raise StepFailed(f"{shown(url)} leads to {shown(location)}, which is no address.", LOOK) from error
    why, found = "", known
    if is_web and (no_address := why_no_address(leads_to)):
        raise StepFailed(f"{shown(url)} leads to {shown(location)}, which is no address: {no_address}.", LOOK)
    if not is_web:
        why = "that is no web server"
    elif is_secret and urlsplit(url).scheme == "https" != urlsplit(leads_to).scheme:
        why = "that is not encrypted"
    elif not is_same_server(url, leads_to):
        found = NOT_JUDGED
        if known.is_public or not await is_private(*_host_and_port(url)):
            not_asked, found = await judged(*_host_and_port(leads_to), by_proxy=has_proxy(leads_to))
            why = f"that {not_asked}" if not_asked else ""
    if why:
        raise StepFailed(
            f"{shown(url)} leads to {shown(leads_to)}, which is not followed: {why}.",
            "If it is right, write that address into the configuration."
            if is_web
            else "Write the address of a web server, https://…, into the configuration.",
        )
    return leads_to, found


def answered(url: str, answer: httpx.Response, known: Judgement) -> Judgement:
    """What is known of a server that has answered: one that did so from the internet is there, whatever its name says
    at the next look. A proxy's own address says nothing of it."""
    stream = answer.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream and not has_proxy(url) else None
    return replace(known, is_public=True) if peer and is_global(str(peer[0])) else known


def _host_and_port(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)  # as the one who asks reads it
    return parts.host, parts.port or 0


def look_at(url: str, otherwise: str = "") -> str:
    """What to do when a server does not answer as it should; `otherwise`: what helps where it is not the orchestrator
    itself. When it is asked again is said by who asks again."""
    host = urlsplit(url).hostname if leads_to_own(url) else ""
    return f"The host {why_own(host)}. {INSTEAD}." if host else otherwise or LOOK


def shown(url: str) -> str:
    return plain(without_credentials(url))[:300]
