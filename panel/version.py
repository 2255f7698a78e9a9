"""Which release this is."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The version that was deployed, or the installed package's where the panel was not deployed."""
    if deployed := os.environ.get("CHANGEOVER_VERSION"):
        return deployed
    try:
        return "v" + version("changeover")
    except PackageNotFoundError:
        return "development"
