"""Files of NAME=value lines, such as the one that `run.env_file` names, read as Docker Compose reads them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchestrator.config.env_syntax import NotAVariable, variables
from orchestrator.errors import ChangeoverError
from orchestrator.files.beneath import LeadsOutside, within

MOST_BYTES = 1024 * 1024


class EnvFileUnreadable(ChangeoverError):
    """The file does not exist, may not be read, or is not what an environment file is."""


def read_bounded(path: Path, called: str = "") -> bytes:
    """The content of an environment file. Never waits: a named pipe is refused. `called`: its name in messages.

    Raises OSError, or EnvFileUnreadable if it is no regular file or larger than MOST_BYTES.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise EnvFileUnreadable(f"The environment file {called or path} cannot be read: it is not a regular file.")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise EnvFileUnreadable(f"The environment file {called or path} is larger than {MOST_BYTES // 1024} kB.")
    return content


def read_env_file_in(folder: Path, named: str) -> dict[str, str]:
    """The variables of `run.env_file`, which is relative to the configuration file's folder and leads to no other.

    Raises EnvFileUnreadable.
    """
    try:
        return read_env_file(within(folder, named), named)
    except FileNotFoundError:
        return read_env_file(folder / named, named)
    except LeadsOutside as error:
        raise EnvFileUnreadable(
            f"The environment file {named} is not read: {error}.",
            "run.env_file is relative to the folder of the configuration file: put it there, or into a folder in it.",
        ) from error


def read_env_file(path: Path, called: str = "") -> dict[str, str]:
    """The variables that the file sets. Of a name that is set twice the last value counts. `called`: as the
    configuration calls it, and messages do.

    Raises EnvFileUnreadable, whose message names the file and the reason, and never a value.
    """
    try:
        text = read_bounded(path, called).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise EnvFileUnreadable(
            f"The environment file {called or path} cannot be read: {reason}.",
            "run.env_file is a path relative to the folder of the configuration file.",
        ) from error
    try:
        found = {one.name: one.value for one in variables(text)}
    except NotAVariable as error:
        raise EnvFileUnreadable(
            f"Line {error.line} of the environment file {called or path} is not NAME=value.",
            "Write NAME=value, the name of letters, digits, '_', '.' and '-', or put a # at the start of a comment. "
            "A value of several lines needs quotes, and nothing but a comment follows them.",
        ) from error
    if wrong := next((name for name, value in found.items() if "\0" in name + value), None):
        raise EnvFileUnreadable(
            f"The value of {wrong[:40]!r} in the environment file {called or path} contains a null byte."
        )
    return found
