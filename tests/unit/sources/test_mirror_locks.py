"""A cancelled fetch leaves no lock in the mirror, whatever the moment at which its git is ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources.mirror import no_lock_left

LOCKS = ("shallow.lock", "packed-refs.lock", "refs/remotes/origin/main.lock", "objects/pack/multi-pack-index.lock")


def locked(mirror: Path) -> list[Path]:
    for name in LOCKS:
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).touch()
    (mirror / "refs/remotes/origin/main").write_text("1" * 40)
    return [mirror / name for name in LOCKS]


def test_a_cancelled_fetch_leaves_no_lock(tmp_path: Path) -> None:
    """One in some hundreds did: git notes only after it has made a lock that it has to be removed."""
    locks = locked(tmp_path)
    with pytest.raises(asyncio.CancelledError), no_lock_left(tmp_path):
        raise asyncio.CancelledError

    assert not [lock for lock in locks if lock.exists()]
    assert (tmp_path / "refs/remotes/origin/main").exists()


def test_a_fetch_that_fails_keeps_what_shows_why(tmp_path: Path) -> None:
    locks = locked(tmp_path)
    with pytest.raises(StepFailed), no_lock_left(tmp_path):
        raise StepFailed("Unable to create 'main.lock': File exists.")

    assert all(lock.exists() for lock in locks)
