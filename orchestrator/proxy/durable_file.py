"""Atomic writes of the proxy's files, durable after a power failure. A map file has a key and a value per line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def write_if_changed(path: Path, text: str) -> bool:
    """Write the file if its text differs, so that an unchanged file needs no disk space. True if it was written.

    Raises OSError.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write(path, text)
    return True


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write to a temporary file, sync it, keep the old file as `*.previous`, rename, and sync. Raises OSError."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    previous = path.with_name(path.name + ".previous")
    if path.exists():
        previous.unlink(missing_ok=True)
        os.link(path, previous)
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_map(path: Path) -> dict[str, str]:
    """The entries of a map file; empty if it does not exist. Lines that are not valid are ignored."""
    if not path.exists():
        return {}
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


def map_text(entries: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in entries.items())
