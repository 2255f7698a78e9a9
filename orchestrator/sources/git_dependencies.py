"""The dependencies that differ between two commits of a Git mirror."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

import orchestrator
from border.plain import one_line
from orchestrator.domain.changelog import MOST_DEPENDENCIES, DependencyChange
from orchestrator.host import child_process
from orchestrator.sources.dependencies.tree import patterns
from orchestrator.sources.git_environment import ENVIRONMENT

WITHIN_S = 20.0
MOST_PATHS_SHOWN = 3
NOT_COMPARED = "The dependencies were not compared"


@dataclass(frozen=True)
class Found:
    """`changes` is None if they are not known; then `note` says why."""

    changes: tuple[DependencyChange, ...] | None
    left_out: int = 0
    note: str = ""


class _Printed(BaseModel):
    changes: tuple[DependencyChange, ...]
    unreadable: tuple[str, ...]


async def dependencies_between(
    git: Callable[..., Awaitable[str]], mirror: Path, since: str, until: str, path: str
) -> Found:
    """What was added, removed and changed below `path`. `git` runs git in the mirror.

    The files are what whoever commits made of them: whatever they are, this ends, within WITHIN_S and in a process of
    its own, and raises nothing for it.
    """
    if not await git("diff-tree", "-r", "--no-renames", "--name-only", since, until, "--", *patterns(path)):
        return Found(())
    compare = (sys.executable, "-m", "orchestrator.sources.dependencies", str(mirror), since, until, path)
    root = str(Path(orchestrator.__file__).parents[1])
    try:
        ended = await child_process.run(*compare, env={**ENVIRONMENT, "PYTHONPATH": root}, timeout_s=WITHIN_S)
    except TimeoutError:
        return Found(None, note=f"{NOT_COMPARED}: reading their files took longer than {WITHIN_S:g} s.")
    except OSError as error:
        return Found(None, note=f"{NOT_COMPARED}: {error.strerror}.")
    if ended.exit_code != 0:
        why = one_line(ended.err.decode(errors="replace").strip().rpartition("\n")[2])[:200].rstrip(".")
        return Found(None, note=f"{NOT_COMPARED}: reading their files ended with an error ({why or ended.exit_code}).")
    try:
        printed = _Printed.model_validate_json(ended.out)
    except ValidationError:
        return Found(None, note=f"{NOT_COMPARED}: there are too many.")
    left_out = max(0, len(printed.changes) - MOST_DEPENDENCIES)
    return Found(printed.changes[:MOST_DEPENDENCIES], left_out, _unreadable(printed.unreadable))


def _unreadable(paths: tuple[str, ...]) -> str:
    if not paths:
        return ""
    more = f" and {len(paths) - MOST_PATHS_SHOWN} more" if len(paths) > MOST_PATHS_SHOWN else ""
    return f"Dependencies are not read from {one_line(', '.join(paths[:MOST_PATHS_SHOWN]))[:300]}{more}."
