"""Files of NAME=value lines, such as the one that `run.env_file` names, read as Docker Compose reads them.

python-dotenv reads quotes, `export`, comments and values of several lines. Unlike Compose, `$` stands for itself: a
password is what is written.
"""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path

from dotenv.parser import parse_stream

from orchestrator.errors import ChangeoverError
from orchestrator.files.beneath import LeadsOutside, within

MOST_BYTES = 1024 * 1024
_NOT_IN_A_NAME = re.compile(r"[=\s]")
"""A name in quotes may have them. The variable would have another name and value than are written."""


class EnvFileUnreadable(ChangeoverError):
    """The file does not exist, may not be read, or is not what an environment file is."""


def read_bounded(path: Path) -> bytes:
    """The content of an environment file. Never waits: a named pipe is refused.

    Raises OSError, or EnvFileUnreadable if it is no regular file or larger than MOST_BYTES.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise EnvFileUnreadable(f"The environment file {path} cannot be read: it is not a regular file.")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise EnvFileUnreadable(f"The environment file {path} is larger than {MOST_BYTES // 1024} kB.")
    return content


def read_env_file_in(folder: Path, named: str) -> dict[str, str]:
    """The variables of `run.env_file`, which is relative to the configuration file's folder and leads to no other.

    Raises EnvFileUnreadable.
    """
    try:
        return read_env_file(within(folder, named))
    except FileNotFoundError:
        return read_env_file(folder / named)
    except LeadsOutside as error:
        raise EnvFileUnreadable(
            f"The environment file {folder / named} is not read: {error}.",
            f"Put the file into {folder} or a folder in it: run.env_file is relative to the configuration file.",
        ) from error


def read_env_file(path: Path) -> dict[str, str]:
    """The variables that the file sets. Of a name that is set twice the last value counts.

    Raises EnvFileUnreadable, whose message names the file and the reason, and never a value.
    """
    try:
        text = read_bounded(path).decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise EnvFileUnreadable(
            f"The environment file {path} cannot be read: {reason}.",
            "run.env_file is a path relative to the folder of the configuration file.",
        ) from error
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and (binding.value is None or _NOT_IN_A_NAME.search(binding.key))):
            raise EnvFileUnreadable(
                f"Line {binding.original.line} of the environment file {path} is not NAME=value.",
                "Write NAME=value, or put a # at the start of a comment. A value of several lines needs quotes.",
            )
        if binding.key is not None:
            found[binding.key] = binding.value or ""
    if wrong := next((name for name, value in found.items() if "\0" in name + value), None):
        raise EnvFileUnreadable(f"The value of {wrong[:40]!r} in the environment file {path} contains a null byte.")
    return found
