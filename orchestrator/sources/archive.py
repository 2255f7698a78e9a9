"""Archives of strangers: unpacked within limits, and into their folder alone."""

from __future__ import annotations

import errno
import gzip
import io
import posixpath
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from border.plain import plain
from orchestrator.errors import StepFailed
from orchestrator.sources.archive_links import OUTSIDE, refuse_links_out, refuse_links_out_of

SUFFIX = ".tar.gz"
_GZIP = b"\x1f\x8b"
"""RFC 1952, section 2.3.1. No name in a tar archive begins so: it is the first field of its header."""
_OTHERS = {
    b"BZh": "compressed by bzip2", b"\xfd7zXZ\0": "compressed by xz", b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PK\3\4": "a zip file", b"PK\5\6": "a zip file", b"7z\xbc\xaf": "a 7z file",
}  # fmt: skip
"""How other archives begin."""
MOST_FILES = 100_000
MOST_BYTES = 4 * 2**30
MOST_AT_ONCE = 2**20
"""Bytes. Content is read in smaller pieces; names and other headers, which are kept in memory, have no such length."""
MOST_OF_EXTENSIONS = 32 * 2**20
"""Bytes of long names and other extended headers, of all members together."""
MOST_FOR_ALL = 100
"""Extended headers that are for all members: tarfile gives each member a copy of them."""
MOST_OF_NAME = 1000
"""Characters. Beyond PATH_MAX (4096) `realpath`, by which tarfile finds what leads outside, does not follow links
(CVE-2025-4517)."""


LESS = "Leave out of the archive what the build does not need. docs/limits.md has the limits."
MAKE_AGAIN = (
    "Make the archive again, with files, folders and links within it alone, such as: "
    "git archive --format=tar.gz HEAD > release.tar.gz"
)
_TOO_EARLY = "it ends too early, as if it was cut off on its way"
_TOO_LONG = "one of its names is too long"
_CUT = ("unexpected end of data", "truncated header")
_NO_TAR = ("invalid header", "empty header", "bad checksum", "empty file", "not a gzip file",
           "Unknown compression method")  # fmt: skip
"""What tarfile says of something else."""


class _TooMuch(Exception):
    """The archive has more than anybody needs."""


def unpack(packed: Path, folder: Path, *, only_with: str = "", called: str = "") -> bool:
    """Unpack a tar archive, compressed by gzip or not, into an empty folder; if its entries are all in one folder,
    without that.

    `called`: what messages call it, instead of its name. Returns False, and unpacks nothing, if the file `only_with` is
    not in it. Raises StepFailed for an archive that is damaged, too large, or leads outside; then nothing of it stays.
    """
    beside, called = folder.with_name(f"{folder.name}.unpacked"), called or packed.name
    try:
        shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
        with _opened(packed) as content, tarfile.TarFile(fileobj=_Limited(content)) as archive:
            members = _members(archive)
            _refuse_ambiguous(members)
            names = {member.name.removeprefix("./") for member in members}
            root = _only_folder(names)
            if only_with and f"{root}{only_with}" not in names:
                return False
            refuse_links_out(members)
            archive.extractall(beside, members, filter="data")
            refuse_links_out_of(beside / root, [beside / member.name for member in members if member.issym()])
        folder.rmdir()
        (beside / root).rename(folder)
    except _TooMuch as error:
        raise StepFailed(f"{called} is not unpacked: {error}.", LESS) from error
    # tarfile and the calls of the system raise the latter ones for numbers, names and dates that are none.
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise StepFailed(f"{called} cannot be unpacked: {_why(error, beside, packed)}.", MAKE_AGAIN) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True


def text_of(packed: Path, name: Callable[[str], bool], most: int) -> str | None:
    """The text of a file at the top of a `.tar.gz`, at most `most` bytes of it; None if no name there is wanted.

    Raises StepFailed for an archive that is damaged or too large.
    """
    try:
        with gzip.open(packed) as content, tarfile.TarFile(fileobj=_Limited(content)) as archive:
            members = _members(archive)
            root = _only_folder({member.name.removeprefix("./") for member in members})
            for member in members:
                inside = member.name.removeprefix("./").removeprefix(root)
                if member.isfile() and "/" not in inside and name(inside) and (file := archive.extractfile(member)):
                    return file.read(most).decode("utf-8-sig", errors="replace")
            return None
    except _TooMuch as error:
        raise StepFailed(f"{packed.name} is not read: {error}.", LESS) from error
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise StepFailed(f"{packed.name} cannot be read: {_why(error, packed.parent, packed)}.", MAKE_AGAIN) from error


def _opened(packed: Path) -> gzip.GzipFile | BinaryIO:
    with packed.open("rb") as file:
        is_compressed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(packed) if is_compressed else packed.open("rb")


def _only_folder(names: set[str]) -> str:
    """`name/` of the folder that everything is in; empty if there is none."""
    top = {name.partition("/")[0] for name in names if name not in ("", ".")}
    root = f"{next(iter(top))}/" if len(top) == 1 else ""
    return root if any(name.startswith(root) for name in names) else ""


def _members(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    members, size, extensions = [], 0, 0
    for member in archive:
        members.append(member)
        if member.size < 0:
            raise tarfile.ReadError(f"the size of {member.name!r} is negative")
        size += member.size
        extensions += max(0, member.offset_data - member.offset - tarfile.BLOCKSIZE)
        member.pax_headers = {}  # their values are in its other fields by now
        if len(members) > MOST_FILES or size > MOST_BYTES:
            raise _TooMuch(f"it has more than {MOST_FILES:,} files or {MOST_BYTES // 2**20:,} MiB")
        if extensions > MOST_OF_EXTENSIONS or len(archive.pax_headers) > MOST_FOR_ALL:
            raise _TooMuch(f"its extended headers have more than {MOST_OF_EXTENSIONS // 2**20} MiB")
    return members


def _refuse_ambiguous(members: Iterable[tarfile.TarInfo]) -> None:
    """Whether a member is inside must not depend on other members, nor on what is on the disk when it is written.

    Raises tarfile.TarError for a name that leads outside by itself, a member below a link, a link that is the whole
    archive, and a hard link to what is not a file before it: tarfile would write another copy of a file for each of
    those, which no limit knows of.
    """
    links: set[str] = set()
    files: set[str] = set()
    names = []
    for member in members:
        name = posixpath.normpath(member.name)
        if len(name) > MOST_OF_NAME:
            raise tarfile.ExtractError(_TOO_LONG)
        if name.startswith(("/", "../")) or name == ".." or "\0" in name:
            raise tarfile.ExtractError(f"it has the name {member.name!r}, {OUTSIDE}")
        if member.issym():
            links.add(name)
        elif member.islnk():
            if posixpath.normpath(member.linkname) not in files:
                raise tarfile.ExtractError(f"{member.name!r} is a hard link to something that is no file before it")
            files.add(name)
        elif member.isfile():
            files.add(name)
        names.append(name)
    if not names:
        raise tarfile.ReadError("it is empty")
    if "." in links | files:
        raise tarfile.ExtractError("it is a file or link itself")
    if files & links:
        raise tarfile.ExtractError(f"{min(files & links)!r} is in it as a file and as a link")
    for name in names:
        while name := posixpath.dirname(name):
            if name in links:
                raise tarfile.ExtractError(f"{name!r} is a link, and there is something below it")


def _why(error: Exception, folder: Path, packed: Path) -> str:
    """What was wrong, for people: without the folder of this machine in which it was to be unpacked."""
    if isinstance(error, EOFError | tarfile.ReadError | gzip.BadGzipFile | zlib.error) and (other := _other(packed)):
        return f"it is {other}, and not a tar archive, compressed by gzip or not"
    match error:
        case tarfile.OutsideDestinationError() | tarfile.LinkOutsideDestinationError():
            return f"{error.tarinfo.name[:100]!r} is a name or link, {OUTSIDE}"
        case tarfile.AbsoluteLinkError():
            return f"{error.tarinfo.name[:100]!r} is a link to an absolute path, {OUTSIDE}"
        case tarfile.SpecialFileError():
            return f"{error.tarinfo.name[:100]!r} is a device or pipe, which no build needs"
        case EOFError():
            return _TOO_EARLY
        case OSError(errno=errno.ENAMETOOLONG):
            return _TOO_LONG
        case tarfile.ReadError() if str(error) in _CUT:
            return _TOO_EARLY
        case tarfile.ReadError() | gzip.BadGzipFile() if str(error) in _NO_TAR:
            return "it is no tar archive, or a damaged one"
    says = plain(str(error)).replace(str(folder), "the archive")
    return says[:200].rstrip(".") or "it is damaged"


def _other(packed: Path) -> str:
    """Which other kind of archive the file is, by how it begins; empty if it is none that is known."""
    with packed.open("rb") as file:
        begin = file.read(max(map(len, _OTHERS)))
    return next((name for magic, name in _OTHERS.items() if begin.startswith(magic)), "")


class _Limited(io.RawIOBase):
    """Reads what was compressed. One that makes any number of bytes of a few is not read to its end."""

    def __init__(self, content: gzip.GzipFile | BinaryIO) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= MOST_AT_ONCE:
            raise _TooMuch(f"one of its headers has more than {MOST_AT_ONCE // 2**20} MiB")
        return self._content.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset > MOST_BYTES + MOST_FILES * tarfile.RECORDSIZE:
            raise _TooMuch(f"it has more than {MOST_BYTES // 2**20:,} MiB")
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        return self._content.tell()
