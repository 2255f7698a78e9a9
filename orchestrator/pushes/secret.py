"""The secret of an app's hook: a file beside the configuration file, read again for each delivery."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

from orchestrator.config.push_schema import LEAST_SECRET
from orchestrator.config.secret_file import read_secret
from orchestrator.config.user_files import give_to_owner_of_folder
from orchestrator.errors import Refused
from orchestrator.files.beneath import LeadsOutside, parts_of, within
from orchestrator.files.synced import sync_folder
from orchestrator.pushes.signature import KEY_PREFIX


def push_secret(folder: Path, file: str) -> str:
    """Raises SecretUnreadable, also for a secret that can be guessed. `folder` is the configuration file's."""
    return read_secret(folder, file, at_least=LEAST_SECRET)


def make_push_secret(folder: Path, file: str, app: str, *, replace: bool) -> str:
    """Write a new secret into the file, readable by its owner alone, and return it. It waits for the disk.

    Raises Refused.
    """
    path = _place(folder, file)
    if os.path.lexists(path) and not replace:
        raise Refused(
            f"There is a push secret already, in {file}.",
            "Use it, or write another one, after which deliveries with the old one are refused: "
            f"changeover push-secret {app} --replace",
        )
    # 32 random bytes, in the form that GitLab takes as a signing token. To the others it is a text as any other.
    secret = KEY_PREFIX + b64encode(secrets.token_bytes(32)).decode()
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            give_to_owner_of_folder(path.parent)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{secret}\n")
            opened.flush()
            os.fsync(descriptor)
        give_to_owner_of_folder(new)
        new.replace(path)
        sync_folder(path.parent)  # it is returned only once
    except OSError as error:
        with suppress(OSError):  # what takes no file removes none
            new.unlink(missing_ok=True)
        raise Refused(
            f"The push secret cannot be written into {file}: {error.strerror}.",
            f"Write one yourself, such as: head -c 32 /dev/urandom | base64 > {file}",
        ) from error
    return secret


def _place(folder: Path, file: str) -> Path:
    """Where the file is, or will be. A link is not written through. Raises Refused."""
    try:
        *above, name = parts_of(file)
        return (within(folder, "/".join(above)) if above else folder) / name
    except FileNotFoundError:
        if len(above) == 1:
            return folder / above[0] / name
        why = "its folder does not exist"
    except (LeadsOutside, OSError, ValueError) as error:
        why = str(error)
    raise Refused(
        f"The push secret cannot be written into {file}: {why}.",
        "Name a file in the folder secrets/ beside the configuration file, in push.secret_file.",
    )
