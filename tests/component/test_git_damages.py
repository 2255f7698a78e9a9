"""A mirror that is broken in any way, with a kill on top of it: the next check and the next deployment work again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from tests.support.git_repository import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    for number in range(5):
        made.commit(f"feat: number {number}", f"folder/{number}.txt", f"{number}\n" * 2000)
    return made


def source(remote: Remote, mirrors: Path) -> GitRepository:
    return GitRepository(GitSource(remote=str(remote.path), branch="main"), mirrors / "app.git", remote.path)


def stale_locks(mirror: Path) -> None:
    for name in ("packed-refs.lock", "config.lock", "shallow.lock", "HEAD.lock", "refs/remotes/origin/main.lock"):
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).touch()


def a_missing_object(mirror: Path) -> None:
    if (pack := _moved_pack(mirror)) is not None:
        subprocess.run(["git", "--git-dir", str(mirror), "unpack-objects", "-q"], stdin=pack, check=True)
        os.close(pack)
    for file in sorted(mirror.glob("objects/??/*"))[::3]:
        file.unlink()


def _moved_pack(mirror: Path) -> int | None:
    """The objects of a fetch are in a pack, or each in a file: a pack is moved away, to be unpacked again."""
    packs = list(mirror.glob("objects/pack/*.pack"))
    if not packs:
        return None
    moved = mirror / "moved"
    packs[0].rename(moved)
    for file in mirror.glob("objects/pack/*"):
        file.unlink()
    return os.open(moved, os.O_RDONLY)


def _packed(mirror: Path) -> Path:
    # It fails where the mirror is damaged from before; then there is a pack already.
    subprocess.run(["git", "--git-dir", str(mirror), "repack", "-adq"], stderr=subprocess.DEVNULL)
    pack = next(mirror.glob("objects/pack/*.pack"))
    for file in mirror.glob("objects/pack/*"):
        file.chmod(0o644)
    return pack


def half_a_pack(mirror: Path) -> None:
    pack = _packed(mirror)
    os.truncate(pack, pack.stat().st_size // 2)


def half_an_index(mirror: Path) -> None:
    os.truncate(index := _packed(mirror).with_suffix(".idx"), index.stat().st_size // 2)


def a_flipped_bit(mirror: Path) -> None:
    pack = _packed(mirror)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)


def an_empty_head(mirror: Path) -> None:
    (mirror / "HEAD").write_bytes(b"")


def zeros_for_a_ref(mirror: Path) -> None:
    """As a file that was not synced before the power went away."""
    ref = mirror / "refs" / "remotes" / "origin" / "main"
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_bytes(b"\0" * 41)


def half_a_configuration(mirror: Path) -> None:
    (mirror / "config").write_text((mirror / "config").read_text()[:30])


def a_folder_for_a_file(mirror: Path) -> None:
    (mirror / "config").unlink()
    (mirror / "config").mkdir()


def a_file_for_a_folder(mirror: Path) -> None:
    shutil.rmtree(mirror / "objects")
    (mirror / "objects").write_text("")


def a_file_for_attributes(mirror: Path) -> None:
    shutil.rmtree(mirror / "info", ignore_errors=True)
    (mirror / "info").write_text("")


def a_folder_for_attributes(mirror: Path) -> None:
    shutil.rmtree(mirror / "info", ignore_errors=True)
    (mirror / "info" / "attributes" / "x").mkdir(parents=True)


def no_permission(mirror: Path) -> None:
    """Root reads it all the same, in the container, too; another user has to make it anew."""
    for path in (mirror / "HEAD", mirror / "objects"):
        path.chmod(0)


def garbage_for_packed_refs(mirror: Path) -> None:
    (mirror / "packed-refs").write_bytes(b"\xff\x00garbage\n")


def garbage_for_shallow(mirror: Path) -> None:
    (mirror / "shallow").write_bytes(b"garbage\n")


def a_half_made_mirror(mirror: Path) -> None:
    mirror.rename(mirror.with_name("app.git.new"))
    (mirror.with_name("app.git.new") / "HEAD").unlink()


def a_link_to_nowhere(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.symlink_to(mirror / "nowhere")


DAMAGES = [
    stale_locks, a_missing_object, half_a_pack, half_an_index, a_flipped_bit, an_empty_head, zeros_for_a_ref,
    half_a_configuration, a_folder_for_a_file, a_file_for_a_folder, a_file_for_attributes, a_folder_for_attributes,
    no_permission, garbage_for_packed_refs, garbage_for_shallow, a_half_made_mirror, a_link_to_nowhere,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_mirror_heals_by_itself_at_the_next_check_also_after_kills(
    remote: Remote, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    repository, mirror = source(remote, tmp_path / "mirrors"), tmp_path / "mirrors" / "app.git"
    await repository.newest()
    commit = remote.git("rev-parse", "HEAD")
    for number, kill_after_s in enumerate((None, 0.0, 0.02)):
        if mirror.is_dir() and (mirror / "HEAD").exists():
            damage(mirror)
        if kill_after_s is not None:
            await _killed(repository, mirror, kill_after_s)
        assert (await repository.newest()).release.source_revision == commit
        if mirror.is_dir():
            damage(mirror)
        await repository.fetch(commit, tmp_path / "tree")
        assert sorted(file.name for file in (tmp_path / "tree" / "folder").iterdir()) == [
            f"{one}.txt" for one in range(5 + number)
        ]
        commit = remote.commit(f"feat: more {number}", f"folder/{5 + number}.txt", "more\n")


async def _killed(repository: GitRepository, mirror: Path, after_s: float) -> None:
    """A check whose git is killed as soon as it runs for so long: the engine does so where memory runs out."""
    asking = asyncio.create_task(repository.newest())
    found: list[int] = []
    for _ in range(100_000):
        if asking.done() or (found := list(_processes(mirror))):
            break
        await asyncio.sleep(0)
    if not asking.done():
        await asyncio.sleep(after_s)
        for process in {*found, *_processes(mirror)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    with contextlib.suppress(StepFailed):
        await asking


def _processes(mirror: Path) -> Iterator[int]:
    """Those of git that work on the mirror."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = file.read_bytes().split(b"\0")
            if command[0].endswith(b"git") and any(str(mirror).encode() in one for one in command):
                yield int(file.parent.name)


async def test_a_full_disk_fails_the_check_with_its_reason_and_heals_when_there_is_room(
    remote: Remote, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    _run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small))
    try:
        repository = source(remote, small)
        first = (await repository.newest()).release.source_revision
        (remote.path / "large.bin").write_bytes(os.urandom(2**20))
        commit = remote.commit("feat: too large")
        for _ in range(2):
            with pytest.raises(StepFailed, match="could not be read: the disk is full"):
                await repository.newest()
        assert await repository.is_older(first, first)
        assert not list((small / "app.git").glob("objects/pack/tmp_*"))

        _run("mount", "-o", "remount,size=20m", str(small))
        assert (await repository.newest()).release.source_revision == commit
        await repository.fetch(commit, tmp_path / "tree")
        assert (tmp_path / "tree" / "large.bin").stat().st_size == 2**20
    finally:
        _run("umount", str(small))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
