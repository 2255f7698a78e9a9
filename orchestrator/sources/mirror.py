"""The folder of a Git mirror: what a killed git process leaves in it, and its removal."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.host import child_process
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.git_environment import ENVIRONMENT
from orchestrator.sources.git_error import error_line

PACK_TIMEOUT_S = 120.0

_EVERY_FILE = "* -export-ignore -export-subst\n"
"""Overrides the attributes of a repository by which `git archive` leaves files out, or writes them otherwise than they
were committed: they are meant for packages (gitattributes(5))."""
HALF_WRITTEN = ("objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/??/tmp_obj_*", "objects/tmp_*")


async def make(mirror: Path, init: Callable[[Path], Awaitable[object]]) -> None:
    """Make a mirror, whole or not at all: what a cancelled `git init` leaves looks like a repository by its names."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    new = mirror.with_name(f"{mirror.name}.new")
    await to_its_end(asyncio.to_thread(remove, new))
    await init(new)
    await to_its_end(asyncio.to_thread(remove, mirror))
    new.rename(mirror)


def keep_every_file(mirror: Path) -> None:
    """From now on, an archive of a commit has exactly the files of the commit. Raises OSError."""
    attributes = mirror / "info" / "attributes"
    if attributes.is_file() and attributes.read_bytes() == _EVERY_FILE.encode():
        return
    # Whatever is in their place: the mirror is a cache.
    if not attributes.parent.is_dir():
        remove(attributes.parent)
    if not attributes.is_file():
        remove(attributes)
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(_EVERY_FILE)


def missing_history(mirror: Path) -> tuple[str, ...]:
    """The option with which a fetch completes a history that begins in the middle, because the remote was a clone with
    a depth, as far as the remote has it by now. Git refuses the option where nothing is missing."""
    return ("--unshallow",) if (mirror / "shallow").exists() else ()


async def why_not_packed(mirror: Path) -> str:
    """Pack the mirror's objects, if they are many; why that failed, or empty. Git would do it after a fetch, in a
    process that runs on."""
    pack = ("git", "--git-dir", str(mirror), "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
    try:
        ended = await child_process.run(*pack, env=ENVIRONMENT, timeout_s=PACK_TIMEOUT_S)
    except TimeoutError:
        return f"not done within {PACK_TIMEOUT_S:g} s"
    except OSError as error:
        return str(error.strerror)
    return "" if ended.exit_code == 0 else error_line(ended.err.decode(errors="replace"))


def remove_stale_locks(mirror: Path) -> bool:
    """Remove lock files and half-written packs. Returns whether there was a lock.

    No git process may write to the mirror meanwhile. Without one, every lock in it is of a process that was killed.
    """
    for pattern in HALF_WRITTEN:
        for file in mirror.glob(pattern):
            with suppress(OSError):  # it takes room, and does no other harm
                file.unlink()
    locks = [*mirror.glob("*.lock"), *mirror.glob("refs/**/*.lock"), *mirror.glob("objects/**/*.lock")]
    removed = False
    for lock in locks:
        with suppress(OSError):  # then it is still there, and the next fetch says so
            lock.unlink()
            removed = True
    return removed


@contextmanager
def no_lock_left(mirror: Path) -> Iterator[None]:
    """A git process that a cancel of the block ends leaves no lock: git makes each one a moment before it notes that it
    has to be removed. No other one may write to the mirror meanwhile."""
    try:
        yield
    except asyncio.CancelledError:
        remove_stale_locks(mirror)
        raise


def remove_others(mirrors: Path, needed: Collection[str]) -> None:
    """Remove the mirrors in a folder that are not needed any more, whatever they are. Raises OSError."""
    for found in mirrors.iterdir() if mirrors.is_dir() else ():
        if found.name not in needed:
            remove(found)


def remove(mirror: Path) -> None:
    """Remove a mirror, whatever it is. Raises OSError."""
    if mirror.is_dir() and not mirror.is_symlink():
        shutil.rmtree(mirror)
    else:
        mirror.unlink(missing_ok=True)
