"""Extended attributes (xattr(7)) of files and folders: which of them a backup keeps. Standard library only.

Kept are those of the app (`user.*`) and access control lists (acl(5)). Those that give a file rights beyond its owner's
(`security.capability`, `trusted.*`) are not, as setuid is not. In the archive they are records of its extended headers,
named as GNU tar and libarchive name them, so that `tar --xattrs` has them, too.
"""

from __future__ import annotations

import errno
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes

from orchestrator.backup_sidecar.owner import ACCESS, DEFAULT

RECORD = "SCHILY.xattr."
OF_THE_APP = "user."
OF_THE_HOST = ("security.selinux", "security.ima", "security.evm", "security.SMACK64")
"""Labels that the host gives to every file by itself, also to one that is restored."""
MOST_BYTES = 2**20
"""So much is kept of one file's: where a file system has no limit of its own, an app may set any number of them."""
_AS_THEY_ARE = "".join(chr(code) for code in range(33, 127) if chr(code) not in "%=")
"""What needs no escape in the name of a record, which ends at the first `=`."""
_NONE_HERE = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


@dataclass(frozen=True)
class Attributes:
    """Those of one file or folder, by name; `others` are the names of those that no backup keeps."""

    kept: Mapping[str, bytes] = field(default_factory=dict)
    others: tuple[str, ...] = ()


NO_ATTRIBUTES = Attributes()


def read(descriptor: int) -> Attributes:
    """The attributes of an open file or folder. What vanishes meanwhile is none of them."""
    try:
        names = os.listxattr(descriptor)
    except OSError as error:
        if error.errno in _NONE_HERE:
            return NO_ATTRIBUTES
        if error.errno == errno.E2BIG:  # more than 64 KiB of names
            return Attributes(others=(f"{OF_THE_APP}*",))
        raise
    if not names:
        return NO_ATTRIBUTES
    kept: dict[str, bytes] = {}
    others = [name for name in names if not _is_kept(name) and name not in OF_THE_HOST]
    size = 0
    for name in filter(_is_kept, sorted(names)):
        value = _value(descriptor, name)
        if value is None:
            continue
        size += len(os.fsencode(name)) + len(value)
        if size > MOST_BYTES:
            others.append(f"{OF_THE_APP}*")
            break
        kept[name] = value
    return Attributes(kept, tuple(others))


def _is_kept(name: str) -> bool:
    return name.startswith(OF_THE_APP) or name in (ACCESS, DEFAULT)


def _value(descriptor: int, name: str) -> bytes | None:
    try:
        return os.getxattr(descriptor, name)
    except OSError as error:
        if error.errno in (errno.ENODATA, *_NONE_HERE):
            return None
        raise


def put_into(header: tarfile.TarInfo, attributes: Attributes) -> None:
    """Give them to a member of an archive."""
    header.pax_headers = {
        RECORD + quote(os.fsencode(name), safe=_AS_THEY_ARE): value.decode("utf-8", "surrogateescape")
        for name, value in attributes.kept.items()
    }


def of_member(member: tarfile.TarInfo) -> dict[str, bytes]:
    """Those of a member of an archive that are restored; any other one that it has is not."""
    found = {
        os.fsdecode(unquote_to_bytes(key.removeprefix(RECORD))): value.encode("utf-8", "surrogateescape")
        for key, value in member.pax_headers.items()
        if key.startswith(RECORD)
    }
    return {name: value for name, value in found.items() if _is_kept(name)}


def write(descriptor: int, attributes: Mapping[str, bytes]) -> list[str]:
    """Set them at an open file or folder. Returns those that its file system does not have. Raises OSError."""
    refused = []
    for name, value in attributes.items():
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if error.errno not in _NONE_HERE:
                raise
            refused.append(name)
    return refused
