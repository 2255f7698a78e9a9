"""Durations in the configuration: a number of seconds, or text such as `90s`, `10m` or `1h30m`."""

from __future__ import annotations

import re

_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in "dhms"), re.ASCII)
_SECONDS = (86400, 3600, 60, 1)
_LONGEST = 20


def seconds(value: object) -> object:
    """The seconds that a text such as `1h30m` means; everything else as it is. Raises ValueError for other text."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value) if 0 < len(value) <= _LONGEST else None
    if match is None:
        raise ValueError("expected a number of seconds, or a duration such as 90s, 10m or 1h30m")
    total = sum(float(number or 0) * unit for number, unit in zip(match.groups(), _SECONDS, strict=True))
    return int(total) if total == int(total) else total
