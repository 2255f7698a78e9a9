"""Writing a text file so that a stop at any moment leaves the old text or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.errors import Refused
from orchestrator.files.new_file import open_new


def save(path: Path, text: str) -> None:
    """Replace the file's content; nothing is written if it is the same already. Only its owner can read it.

    Raises OSError; then the file is as it was.
    """
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return
    temporary = path.with_name(path.name + ".new")
    with os.fdopen(open_new(temporary), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def rewrite(path: Path, text: str, before: str) -> bool:
    """Replace the content of a user's file, whose owner and mode stay; the one before is kept as `*.previous`.

    False, and nothing is written, if the file does not have the content `before` any more. A link stays a link to the
    file that is replaced. Raises Refused when it cannot be written.
    """
    target = path.resolve()
    try:
        if target.read_bytes() != before.encode():
            return False
        status = target.stat()
        temporary = target.with_name(target.name + ".new")
        with os.fdopen(open_new(temporary), "wb") as file:
            os.fchmod(file.fileno(), status.st_mode & 0o777)
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        previous = target.with_name(target.name + ".previous")
        previous.unlink(missing_ok=True)
        os.link(target, previous)
        temporary.replace(target)
    except OSError as error:
        raise Refused(
            f"{path.name} cannot be written: {error.strerror}.",
            "Give the orchestrator write access to the file and its folder, or edit the file by hand.",
        ) from error
    return True
