"""The user's own files beside `compose.yaml`: the configuration file and the folder `secrets`. Git ignores both."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from orchestrator.files.new_file import open_new

log = structlog.get_logger()

SECRETS = "secrets"


def make_missing_if_possible(config: Path, kept: Path) -> None:
    """As `make_missing`. Without them, the defaults are used, or the configuration that is kept."""
    try:
        if source := make_missing(config, kept):
            log.info("configuration file made", file=str(config), source=source)
    except OSError as error:
        log.error("configuration file not made", file=str(config), cause=error.strerror)


def make_missing(config: Path, kept: Path) -> str:
    """Make the configuration file and the folder for secrets where they do not exist.

    The file is made from the configuration that was in use last (`kept`); at the first start, from the example that
    Git tracks. Nothing is made where there is no example: the folder is not a checkout of Changeover.
    Returns what the file was made from, empty if it was not made. Raises OSError.
    """
    example = config.with_name(f"{config.stem}.example{config.suffix}")
    if not example.is_file():
        return ""
    secrets = config.with_name(SECRETS)
    if not secrets.exists():
        secrets.mkdir(mode=0o700)
        give_to_owner_of_folder(secrets)
    if os.path.lexists(config):
        return ""
    # The version before tracked the file, so that a pull removed it; `kept` has what the user wrote.
    source = kept if kept.is_file() and kept.stat().st_size else example
    new = config.with_name(f".{config.name}.new")
    # The example has no secrets; what the user wrote may have some.
    descriptor = open_new(new)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o644 if source == example else 0o600)
        file.write(source.read_bytes())
    give_to_owner_of_folder(new)
    new.replace(config)
    return str(source)


def give_to_owner_of_folder(path: Path) -> None:
    """The orchestrator's container runs as root; the file is the user's."""
    owner = path.parent.stat()
    if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(path, owner.st_uid, owner.st_gid)
