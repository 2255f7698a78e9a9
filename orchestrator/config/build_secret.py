"""The file of a build secret, which `build.secrets` names."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import ChangeoverError
from orchestrator.files.beneath import LeadsOutside, within


class BuildSecretUnreadable(ChangeoverError):
    """The file is not there, is not a file, or a link leads out of the configuration file's folder."""


def build_secret(folder: Path, name: str, file: str) -> Path:
    """The real path of the file of secret `name`. `folder` is the configuration file's.

    Raises BuildSecretUnreadable.
    """
    try:
        found = within(folder, file)
        if found.is_file():
            return found
        why = "it is not a regular file"
    except (OSError, LeadsOutside) as error:
        why = (error.strerror or "No such file or directory") if isinstance(error, OSError) else str(error)
    raise BuildSecretUnreadable(
        f"The file {file} of build secret {name} cannot be read: {why}.",
        "build.secrets are files relative to the folder of the configuration file.",
    )
