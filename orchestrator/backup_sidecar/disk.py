"""What an error of a disk is called, and whose disk it is. Standard library only."""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)
CHANGE_DATA = ("restore", "undo-interrupted", "own")
"""The jobs that write to the app's data. The others write beside the backups."""


def of(job: str) -> str:
    """What is on the disk that this job writes to."""
    return "data" if job in CHANGE_DATA else "backups"


def takes_nothing(error: OSError) -> bool:
    """Whether the disk is full, or its file system is read-only."""
    return error.errno in (*FULL, errno.EROFS)


def in_words(error: OSError, job: str) -> str:
    """A sentence for people."""
    if error.errno in FULL:
        return f"The disk of the {of(job)} is full."
    if error.errno == errno.EROFS:
        return f"The {of(job)} cannot be written: the file system is read-only."
    said = error.strerror or str(error)
    return f"{said}: '{error.filename}'." if isinstance(error.filename, str) else f"{said}."
