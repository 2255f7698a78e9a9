"""The version of this release of the panel and of the command."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
_OF_A_VERSION = ("--match=v[0-9]*", "--match=[0-9]*")
WITHIN_S = 5.0


def is_deployed() -> bool:
    """Whether this process is a deployed release of the panel, and not the panel in a person's terminal."""
    return "CHANGEOVER_VERSION" in os.environ


def release() -> str:
    """The version that was deployed; where the panel was not deployed, that of the checkout that it runs from.

    Without a checkout, it is the installed package's version.
    """
    return os.environ.get("CHANGEOVER_VERSION") or of_checkout(ROOT) or _of_package()


@cache
def of_checkout(folder: Path) -> str:
    """The version of the commit in a checkout, by the rule of the orchestrator's `version_of`; empty without one.

    So `changeover --version` is what `status` shows for the panel that is deployed from the same commit.
    """
    if not (folder / ".git").exists():
        return ""
    if described := _git(folder, "describe", "--tags", *_OF_A_VERSION, "--abbrev=7", "HEAD"):
        return described
    commit, count = _git(folder, "rev-parse", "HEAD"), _git(folder, "rev-list", "--count", "HEAD")
    return f"v0.0.{count}-g{commit[:7]}" if commit and count else ""


def _git(folder: Path, *arguments: str) -> str:
    """What a git command prints; empty if it fails, as without git or in a checkout of another user."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _of_package() -> str:
    try:
        return "v" + version("changeover")
    except PackageNotFoundError:
        return "development"
