"""The version of this release of the panel."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version


def is_deployed() -> bool:
    """Whether this process is a deployed release of the panel, and not the panel in a person's terminal."""
    return "CHANGEOVER_VERSION" in os.environ


def release() -> str:
    """The version that was deployed; where the panel was not deployed, the installed package's version."""
    if deployed := os.environ.get("CHANGEOVER_VERSION"):
        return deployed
    try:
        return "v" + version("changeover")
    except PackageNotFoundError:
        return "development"
