"""Files of NAME=value lines, such as the one that `run.env_file` names."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import ChangeoverError


class EnvFileUnreadable(ChangeoverError):
    """The file does not exist, may not be read, or is not UTF-8 text."""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables that a file of NAME=value lines sets, in the order of the file.

    A line without `=` and a line that begins with `#` are ignored. Spaces around name and value are removed; the value
    is otherwise taken as it is, quotes included. Of a name that is set twice the last value counts.
    Raises EnvFileUnreadable, whose message names the file and the reason.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise EnvFileUnreadable(
            f"The environment file {path} cannot be read: {reason}.",
            "run.env_file is a path relative to the folder of the configuration file.",
        ) from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
