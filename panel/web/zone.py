"""The time zone of a page's viewer, as the page's script names it when it connects."""

from __future__ import annotations

import re
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
"""A name of the IANA time zone database, such as `America/Argentina/Buenos_Aires`."""


def zone_of(name: str) -> tzinfo | None:
    """None for whatever is no time zone that this machine knows: anybody can write anything into an address."""
    if not NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: of a folder, such as Europe
        return None
