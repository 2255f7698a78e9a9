"""What to change when a container ended before it was ready: by its exit code, and by what its log says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.config.run_schema import Run

_DENIED = re.compile(r"permission denied|operation not permitted|\bEACCES\b|\bEPERM\b", re.IGNORECASE)
_NEEDS = (
    (re.compile(r"\bchown\b|chowning", re.IGNORECASE), "chown"),
    (re.compile(r"permission denied|\bEACCES\b", re.IGNORECASE), "dac_override"),
    (re.compile(r"\bsetgid|initgroups|setgroups|drop(ping)? privileges", re.IGNORECASE), "setgid"),
    (re.compile(r"\bsetuid|seteuid|drop(ping)? privileges", re.IGNORECASE), "setuid"),
)
STARTS_AS_ROOT = ("chown", "dac_override", "setgid", "setuid")
"""What servers need that start as root, make folders and open files of their worker's user, and become that user."""


def exit_hint(exit_code: int | None, log: Iterable[str], run: Run, app: str) -> str:
    """What to change where a container ended by itself with this code; empty if neither code nor log tells it."""
    if hint := permission_hint(log, run, app):
        return hint
    if exit_code == 0:
        return (
            "A container runs as long as its first process. If that starts the server in the background, let its "
            f"command (CMD of the image, or run.command of {app}) run the server in the foreground."
        )
    return ""


def permission_hint(log: Iterable[str], run: Run, app: str) -> str:
    """The smallest change of `run` that lets an app do what its log says it may not; empty if the log says nothing."""
    if run.privileges:
        return ""
    denied = [line for line in log if _DENIED.search(line)]
    if not denied:
        return ""
    missing = [name for pattern, name in _NEEDS if any(pattern.search(line) for line in denied)]
    wanted = dict.fromkeys((*run.capabilities, *(missing if run.capabilities else STARTS_AS_ROOT)))
    if set(wanted) == set(run.capabilities):
        return (
            f"The container may not do what its log says ({denied[-1].strip()[:120]}). Let the image's user own the "
            f"files, or mount a folder by run.data or run.volumes of {app}; as the last resort, set run.privileges."
        )
    who = f"user {run.user}" if run.user else "an unprivileged user (10001, if the image's user is root)"
    return (
        f"The container runs as {who} with {', '.join(run.capabilities) or 'no'} capabilities. If the image must start "
        f"as root, set run.capabilities of {app}: [{', '.join(wanted)}]. If it only writes to a folder, let the "
        "image's user own it, or mount it by run.data."
    )
