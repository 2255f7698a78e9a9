"""Why a backup was made: the sentence that its manifest keeps, made and read again. Standard library only."""

from __future__ import annotations

import re

_BY_HAND = "requested by "
_BEFORE = re.compile(r"before (?:the migration of )?(?:deployment|rollback) ([\w-]+)(?:, with requests paused)?")


def by_hand(who: str) -> str:
    """Somebody asked for it; every other backup is made before something is done."""
    return f"{_BY_HAND}{who}"


def before(kind: str, deployment: str) -> str:
    """It is made before a deployment or a rollback, while the app runs. `kind` is that word."""
    return f"before {kind} {deployment}"


def before_migration(kind: str, deployment: str) -> str:
    """A second one of the same deployment or rollback: it has what was written since the first."""
    return f"before the migration of {kind} {deployment}, with requests paused"


def before_restoring(backup: str) -> str:
    """It is made before another backup is put in the data's place."""
    return f"before restoring {backup}"


def is_by_hand(reason: str) -> bool:
    """Whether somebody asked for it."""
    return reason.startswith(_BY_HAND)


def deployment_in(reason: str) -> str:
    """The id of the deployment or rollback before which it was made; empty if it was made for something else."""
    found = _BEFORE.fullmatch(reason)
    return found[1] if found else ""
