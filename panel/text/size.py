"""Sizes as text, such as `2.4 MiB`."""

from __future__ import annotations

SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def size(size_in_bytes: int) -> str:
    for limit, unit in SIZES:
        if size_in_bytes >= limit:
            return f"{size_in_bytes / limit:.1f} {unit}"
    return f"{size_in_bytes} B"
