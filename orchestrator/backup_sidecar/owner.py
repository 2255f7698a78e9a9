"""Gives the data of one user to another one, while both can read and write all of it. Standard library only.

What the user before owns becomes the other one's. Both users get an entry in the access control list of each file and
folder, and each folder gives such entries to what is made in it later, because the release before works on the data
until the traffic has moved, and again after a rollback. The list is an extended attribute (acl(5)); its form is that of
the kernel, include/uapi/linux/posix_acl_xattr.h.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from orchestrator.files.beneath import Folder, NotAFile

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
_VERSION = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
OWNER, USER, GROUP, NAMED_GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NOBODY = 0xFFFFFFFF
Acl = dict[tuple[int, int], int]
"""Tag and id -> permission bits."""


@dataclass(frozen=True)
class Ids:
    """The numbers of a user and its group, as `10001:10001`."""

    user: int
    group: int

    @classmethod
    def of(cls, text: str) -> Ids:
        user, _, group = text.partition(":")
        return cls(int(user), int(group))


def give(root: Folder, before: Ids, after: Ids) -> int:
    """Make `after` the owner of what `before` owns; both can use it then. Returns how many files and folders changed.

    Raises OSError, also where the file system has no access control lists. May be done again.
    """
    return _each(root, before, after, shared=True)


def take_back(root: Folder, before: Ids, after: Ids) -> int:
    """Undo `give`: what `after` owns is the one's before again, and nobody else has entries because of it."""
    return _each(root, after, before, shared=False)


def give_nothing_on(folder: Folder) -> None:
    """What is made in this folder gets no entries because of those of the folder above."""
    if _read(folder.descriptor, DEFAULT) is not None:
        os.removexattr(folder.descriptor, DEFAULT)


def follow(volume: Folder, restored: Folder) -> None:
    """Give restored data to the owner of its volume, where it was that of a user who may still use the volume.

    The backup may have been made when the app ran as that user, without entries for the one of now. Raises OSError.
    """
    status = os.fstat(volume.descriptor)
    shared_with = {user for tag, user in _read(volume.descriptor, ACCESS) or {} if tag == USER} - {status.st_uid}
    for user in sorted(shared_with):
        give(restored, Ids(user, NOBODY), Ids(status.st_uid, status.st_gid))


def _each(root: Folder, before: Ids, after: Ids, *, shared: bool) -> int:
    changed = 0
    users = (before.user, after.user)
    with _opened(root, "", is_folder=True) as descriptor:
        changed += _change(descriptor, before, after, users, shared=shared)
    for entry in root.walk():
        # What vanishes or is replaced meanwhile is made anew by the app, with the entries of its folder.
        with suppress(FileNotFoundError, NotADirectoryError, NotAFile):
            if entry.is_folder or entry.is_file:
                with _opened(root, entry.name, is_folder=entry.is_folder) as descriptor:
                    changed += _change(descriptor, before, after, users, shared=shared)
            elif (wanted := _wanted(entry.status, before, after)) is not None:
                with root.parent_of(entry.name) as (above, last):
                    os.chown(last, wanted.user, wanted.group, dir_fd=above, follow_symlinks=False)
                changed += 1
    return changed


@contextmanager
def _opened(root: Folder, name: str, *, is_folder: bool) -> Iterator[int]:
    if is_folder:
        with root.folder(name) as folder:
            yield folder.descriptor
        return
    descriptor = root.open_file(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wanted(status: os.stat_result, before: Ids, after: Ids) -> Ids | None:
    """The owner that it should have; None for what belongs to others, which stays theirs."""
    if status.st_uid != before.user:
        return None
    return Ids(after.user, after.group if status.st_gid == before.group else status.st_gid)


def _change(descriptor: int, before: Ids, after: Ids, users: tuple[int, int], *, shared: bool) -> int:
    """The entries first: at no moment is one of the two without access."""
    status = os.fstat(descriptor)
    wanted = _wanted(status, before, after)
    if shared and wanted is None and status.st_uid != after.user:
        return 0
    is_folder = stat.S_ISDIR(status.st_mode)
    if shared:
        acl = _with(_read(descriptor, ACCESS) or _of_mode(status.st_mode), users)
        _write(descriptor, ACCESS, acl)
        if is_folder:
            _write(descriptor, DEFAULT, _with(_read(descriptor, DEFAULT) or acl, users))
    if wanted is not None:
        os.fchown(descriptor, wanted.user, wanted.group)
    if not shared:
        for which in (ACCESS, DEFAULT) if is_folder else (ACCESS,):
            if (listed := _read(descriptor, which)) is not None:
                _write_or_remove(descriptor, which, _without(listed, users), status.st_mode)
    return 0 if wanted is None else 1


def _of_mode(mode: int) -> Acl:
    return {(OWNER, NOBODY): mode >> 6 & 7, (GROUP, NOBODY): mode >> 3 & 7, (OTHER, NOBODY): mode & 7}


def _with(acl: Acl, users: tuple[int, int]) -> Acl:
    """Both users may do what the owner may."""
    found = dict(acl) | {(USER, user): acl[OWNER, NOBODY] for user in users}
    mask = 0
    for (tag, _id), bits in found.items():
        if tag in (USER, GROUP, NAMED_GROUP):
            mask |= bits
    return found | {(MASK, NOBODY): mask}


def _without(acl: Acl, users: tuple[int, int]) -> Acl:
    found = {key: bits for key, bits in acl.items() if key not in {(USER, user) for user in users}}
    if not any(tag in (USER, NAMED_GROUP) for tag, _id in found):
        found.pop((MASK, NOBODY), None)
    return found


def _read(descriptor: int, which: str) -> Acl | None:
    try:
        content = os.getxattr(descriptor, which)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return None
        raise
    return {(tag, number): bits for tag, bits, number in _ENTRY.iter_unpack(content[_VERSION.size :])}


def _write(descriptor: int, which: str, acl: Acl) -> None:
    entries = b"".join(_ENTRY.pack(tag, bits, number) for (tag, number), bits in sorted(acl.items()))
    os.setxattr(descriptor, which, _VERSION.pack(2) + entries)


def _write_or_remove(descriptor: int, which: str, acl: Acl, mode: int) -> None:
    """A list that says no more than the mode is removed; the mode's bits of the group were those of the mask."""
    if (MASK, NOBODY) in acl:
        _write(descriptor, which, acl)
        return
    os.removexattr(descriptor, which)
    if which == ACCESS:
        os.fchmod(descriptor, mode & 0o7707 | acl[GROUP, NOBODY] << 3)
