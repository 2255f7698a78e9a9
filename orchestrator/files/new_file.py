"""A file beside the one that it replaces by a rename. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def open_new(path: Path) -> int:
    """The descriptor of a new file for writing, which only its owner can read. Raises OSError.

    What stands at the path is removed: what a process that was killed has left, or what whoever owns the folder has put
    there. Into a file that others can read, a link to another file, or a pipe, nothing is written.
    """
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
