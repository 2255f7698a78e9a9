"""The package index that this machine is configured with: by pip's and uv's own variables, which compose.yaml passes
on; `make up` reads pip's configuration files, which are on the host, into the first of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from pypi_simple import PYPI_SIMPLE_ENDPOINT

from border.urls import without_credentials
from orchestrator.config.source_schema import PypiSource
from orchestrator.errors import StepFailed

VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
"""In this order: `null` in the configuration means what pip is configured with."""


def machine_index(environment: Mapping[str, str] = os.environ) -> str:
    """Its address, maybe with credentials; empty if none is configured."""
    named = next((value for name in VARIABLES if (value := environment.get(name, "").strip())), "")
    # uv takes a name before it (UV_DEFAULT_INDEX=internal=https://…).
    name, equals, address = named.partition("=")
    return address if equals and "/" not in name else named


def index_of(settings: PypiSource, environment: Mapping[str, str] = os.environ) -> str:
    """The address of the index that a package comes from, maybe with credentials: the configured one, the machine's,
    or PyPI."""
    return settings.index_url or machine_index(environment) or PYPI_SIMPLE_ENDPOINT


def refuse_no_web_address(url: str) -> None:
    """Raises StepFailed for an index that is none of a web server, which a machine may have."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise StepFailed(
            f"The package index of this machine, {without_credentials(url)[:200]}, is no web address.",
            f"Set update.pypi.index_url, or correct what make up found in {', '.join(VARIABLES)} or pip.conf.",
        )
