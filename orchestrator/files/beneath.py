"""Files beneath a folder that somebody else may change at any moment, without ever leaving it. Standard library only.

A path is a text: between looking at it and opening it, a folder in it can become a link to elsewhere. So a folder is
held by its descriptor, and each part of a name is opened from the descriptor of the folder before it, without following
links (openat(2), O_NOFOLLOW). That is what RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS of openat2(2) promise, on every
kernel.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

MOST_DEPTH = 256
"""Folders nested deeper than this are refused: each level costs a descriptor walk."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LeadsOutside(Exception):
    """A name, or a link, that leads out of the folder that it was given for."""


class NotAFile(Exception):
    """There is something else at this name than the regular file, or the link, that was asked for."""


@dataclass(frozen=True)
class Entry:
    """What a folder has at a name relative to the folder that was walked; `status` is that of a link itself."""

    name: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a relative name. Raises LeadsOutside for a name that is absolute or has the parts `.` or `..`."""
    parts = tuple(name.split("/"))
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise LeadsOutside(f"'{name}' is not a name inside of the folder")
    return parts


class Folder:
    """A folder, held by its descriptor. Names are relative, their parts separated by `/`.

    `path` is where it was when it was opened; only what cannot work with descriptors uses it. Use it as a context
    manager. Methods raise OSError (FileNotFoundError and NotADirectoryError where somebody removed or replaced a part
    of the name) and LeadsOutside.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor = descriptor
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Folder:
        """The folder at a path that the caller vouches for."""
        return cls(os.open(path, _FOLDER), path)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        os.close(self.descriptor)

    def folder(self, name: str) -> Folder:
        """A folder in this one; with an empty name this one again."""
        parts = parts_of(name) if name else ()
        descriptor = os.open(".", _FOLDER, dir_fd=self.descriptor)
        for part in parts:
            try:
                deeper = os.open(part, _FOLDER, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = deeper
        return Folder(descriptor, self.path / name)

    @contextmanager
    def parent_of(self, name: str) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that has the last part of a name, and that part."""
        *above, last = parts_of(name)
        with self.folder("/".join(above)) as folder:
            yield folder.descriptor, last

    def status(self, name: str) -> os.stat_result:
        """The status of a file, folder or link, which is not followed."""
        with self.parent_of(name) as (descriptor, last):
            return os.stat(last, dir_fd=descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        try:
            self.status(name)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return False  # nothing can have this name
            raise
        return True

    def has_folder(self, name: str) -> bool:
        return self.has(name) and stat.S_ISDIR(self.status(name).st_mode)

    def link_target(self, name: str) -> str:
        """What a link says. Raises NotAFile for anything else."""
        with self.parent_of(name) as (descriptor, last):
            try:
                return os.readlink(last, dir_fd=descriptor)
            except OSError as error:
                if error.errno == errno.EINVAL:
                    raise NotAFile(name) from error
                raise

    def open_file(self, name: str) -> int:
        """A descriptor to read a regular file. Raises NotAFile for anything else; nothing is waited for."""
        with self.parent_of(name) as (descriptor, last):
            if not stat.S_ISREG(os.stat(last, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise NotAFile(name)
            # Whoever replaces it now gains nothing: a link is refused by O_NOFOLLOW, a pipe does not block.
            try:
                file = os.open(last, _READ, dir_fd=descriptor)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO):
                    raise NotAFile(name) from error
                raise
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise NotAFile(name)
        return file

    def new_file(self, name: str) -> int:
        """A descriptor to write a file that does not exist yet, readable by its owner alone."""
        with self.parent_of(name) as (descriptor, last):
            return os.open(last, _NEW, 0o600, dir_fd=descriptor)

    def new_folder(self, name: str, *, parents: bool = False) -> None:
        """Create a folder, for its owner alone; it may exist. With `parents`, also those above it."""
        parts = parts_of(name)
        for depth in range(1 if parents else len(parts), len(parts) + 1):
            with self.parent_of("/".join(parts[:depth])) as (descriptor, last), suppress(FileExistsError):
                os.mkdir(last, 0o700, dir_fd=descriptor)
        with self.folder(name):
            pass  # what existed already is a folder, or this raises NotADirectoryError

    def new_link(self, name: str, target: str) -> None:
        with self.parent_of(name) as (descriptor, last):
            os.symlink(target, last, dir_fd=descriptor)

    def new_hard_link(self, name: str, existing: str) -> None:
        """Another name for a file in this folder; a link is not followed."""
        with self.parent_of(existing) as (above, file), self.parent_of(name) as (descriptor, last):
            os.link(file, last, src_dir_fd=above, dst_dir_fd=descriptor, follow_symlinks=False)

    def move(self, name: str, to: Folder, new_name: str = "") -> None:
        """Rename an entry of this folder to one of another folder of the same file system; it replaces nothing."""
        new_name = new_name or name
        if to.has(new_name):
            raise FileExistsError(f"{to.path / new_name} exists already")
        os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=to.descriptor)

    def remove(self, name: str) -> None:
        """Remove an entry of this folder with everything in it; links in it are removed, not followed.

        What is not there needs no file system that can be written.
        """
        if not self.has(name):
            return
        try:
            if self.has_folder(name):
                shutil.rmtree(name, dir_fd=self.descriptor)
            else:
                os.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return

    def names(self) -> list[str]:
        """The names in this folder, in order."""
        return sorted(os.listdir(self.descriptor))

    def entries(self) -> list[Entry]:
        """What this folder has, in order, without what vanishes meanwhile."""
        found = []
        for name in self.names():
            with suppress(FileNotFoundError):
                found.append(Entry(name, os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)))
        return found

    def walk(self) -> Iterator[Entry]:
        """Everything beneath, in order; a folder before what is in it. What is replaced meanwhile is not entered.

        Raises LeadsOutside for folders that are nested deeper than MOST_DEPTH.
        """
        waiting = [""]
        while waiting:
            above = waiting.pop()
            try:
                with self.folder(above) as folder:
                    found = folder.entries()
            except (FileNotFoundError, NotADirectoryError):
                continue
            named = [Entry(f"{above}/{one.name}" if above else one.name, one.status) for one in found]
            yield from named
            waiting += reversed([one.name for one in named if one.is_folder])
            if above.count("/") >= MOST_DEPTH:
                raise LeadsOutside(f"'{above[:100]}…' is nested deeper than {MOST_DEPTH} folders")


def within(root: Path, name: str) -> Path:
    """The real path of a file or folder in `root`, which nobody changes meanwhile; links in it may lead to `root`.

    Raises LeadsOutside for a name or a link that leads elsewhere, and FileNotFoundError.
    """
    if name.startswith("/") or "\0" in name:
        raise LeadsOutside(f"'{name}' is not a path inside of the folder")
    real = root.resolve(strict=True)
    try:
        found = (real / name).resolve(strict=True)
    except RuntimeError as error:  # a loop of links, until Python 3.13
        raise LeadsOutside(f"'{name}' is a link that leads to itself") from error
    except NotADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            _refuse_if_outside(real, name, error)
            raise
        raise LeadsOutside(f"'{name}' cannot be followed: {error.strerror}") from error
    if not found.is_relative_to(real):
        raise LeadsOutside(f"'{name}' leads out of the folder")
    return found


def _refuse_if_outside(root: Path, name: str, error: OSError) -> None:
    """A link to something outside that does not exist here is refused as one that does."""
    if not (root / name).resolve().is_relative_to(root):
        raise LeadsOutside(f"'{name}' leads out of the folder") from error
