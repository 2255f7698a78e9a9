"""A file beside the configuration file that holds one secret, such as a password.

Messages call a file as the configuration does: the person knows `secrets/token`, and not the path that the folder has
in the orchestrator's container.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.counted import counted
from orchestrator.errors import ChangeoverError
from orchestrator.files.beneath import LeadsOutside, within

MOST_OF_SECRET = 64 * 1024


class SecretUnreadable(ChangeoverError):
    """The file is not there, is not a file or no text, or a link leads out of the configuration file's folder."""


def read_secret(folder: Path, file: str, *, is_secret: bool = True, at_least: int = 0) -> str:
    """The secret, without the end of its line. `folder` is the configuration file's. `is_secret`: False for a file such
    as a public key, which is read as one with a secret. `at_least`: so many characters it must have. Raises
    SecretUnreadable."""
    secret = read_secret_text(folder, file, is_secret=is_secret).strip()
    if len(secret) < at_least:
        raise SecretUnreadable(
            f"The secret in {file} can be guessed: it has {counted(len(secret), 'character')}.",
            f"Use one of at least {at_least} characters.",
        )
    return secret


def read_secret_text(folder: Path, file: str, *, is_secret: bool = True) -> str:
    """The whole text of a file with secrets, which has more than blanks. Raises SecretUnreadable."""
    try:
        found = within(folder, file)
        if not found.is_file():
            raise OSError(0, "it is not a regular file")
        with found.open("rb") as opened:
            content = opened.read(MOST_OF_SECRET + 1)
        if len(content) > MOST_OF_SECRET:
            raise OSError(0, f"it is larger than {MOST_OF_SECRET // 1024} KiB")
        if not (text := content.decode()).strip():
            raise OSError(0, "it is empty")
        return text
    except (OSError, LeadsOutside, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretUnreadable(
            f"The {'secret file' if is_secret else 'file'} {file} cannot be read: {why}.",
            f"Name a file with {'nothing but the secret' if is_secret else 'a text'}, relative to the folder of the "
            "configuration file.",
        ) from error
