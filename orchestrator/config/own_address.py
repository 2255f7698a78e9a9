"""Keys that name a server by an address that is the orchestrator's own container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from orchestrator.config.app_schema import App
from orchestrator.config.named_files import SOURCES
from orchestrator.config.notify_urls import ServiceUrl
from orchestrator.config.section import AskedServer, Section
from orchestrator.domain.image_name import image_name
from orchestrator.domain.own_address import INSTEAD, OF_REGISTRY, is_own, why_own
from orchestrator.domain.source_names import is_ssh, ssh_server


def own_addresses(app: App) -> Iterator[tuple[str, str]]:
    """The keys of an app, each with what is wrong and what to do. Not those of a source that is not followed."""
    for path, value in _asked(app, (), app.update.source):
        is_image = path[-1] == "image"
        if is_own(host := _host(value, is_image=is_image)):
            yield ".".join(path), f"{why_own(host)}. {OF_REGISTRY if is_image else INSTEAD}"


def of_service(service: ServiceUrl) -> str:
    """The same of a service that is told something; empty for another one. The URL, which is secret, is not in it."""
    host = _host(service.url)
    return f"{service.place}: {why_own(host)}. {INSTEAD}." if is_own(host) else ""


def _asked(section: Section, path: tuple[str, ...], source: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, field in type(section).model_fields.items():
        value, here = getattr(section, name), (*path, name)
        if isinstance(value, Section) and (name not in SOURCES or name == source):
            yield from _asked(value, here, source)
        elif value and any(isinstance(one, AskedServer) for one in field.metadata):
            yield here, value


def _host(address: str, *, is_image: bool = False) -> str:
    """Of a URL, an address of SSH, or the name of an image; empty for a path and for a name that Git knows."""
    if is_image:
        return re.sub(r":\d+$", "", image_name(address).host)
    if is_ssh(address):
        return ssh_server(address)[0]
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # a bracket that is not closed
        return ""
