"""Archives of strangers: unpacked within limits, and into their folder alone."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zlib
from pathlib import Path

from border.plain import plain
from orchestrator.errors import StepFailed

SUFFIX = ".tar.gz"
MOST_FILES = 100_000
MOST_BYTES = 4 * 2**30
MOST_AT_ONCE = 2**20
"""Bytes. Content is read in smaller pieces; names and other headers, which are kept in memory, have no such length."""


class _TooMuch(Exception):
    """The archive has more than anybody needs."""


def unpack(packed: Path, folder: Path, *, only_with: str = "") -> bool:
    """Unpack a `.tar.gz` into an empty folder; if its entries are all in one folder, without that.

    Returns False, and unpacks nothing, if the file `only_with` is not in it. Raises StepFailed for an archive that is
    damaged, too large, or leads outside; then nothing of it stays.
    """
    beside = folder.with_name(f"{folder.name}.unpacked")
    try:
        with gzip.open(packed) as content, tarfile.TarFile(fileobj=_Limited(content)) as archive:
            members = _members(archive)
            names = {member.name.removeprefix("./") for member in members}
            root = _only_folder(names)
            if only_with and f"{root}{only_with}" not in names:
                return False
            archive.extractall(beside, members, filter="data")
        folder.rmdir()
        (beside / root).rename(folder)
    except _TooMuch as error:
        raise StepFailed(f"{packed.name} is not unpacked: {error}.") from error
    except (tarfile.TarError, EOFError, OSError, UnicodeError, zlib.error) as error:
        raise StepFailed(f"{packed.name} cannot be unpacked: {plain(str(error))[:200]}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True


def _only_folder(names: set[str]) -> str:
    """`name/` of the folder that everything is in; empty if there is none."""
    top = {name.partition("/")[0] for name in names if name not in ("", ".")}
    root = f"{next(iter(top))}/" if len(top) == 1 else ""
    return root if any(name.startswith(root) for name in names) else ""


def _members(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    members, size = [], 0
    for member in archive:
        members.append(member)
        size += member.size
        if len(members) > MOST_FILES or size > MOST_BYTES:
            raise _TooMuch(f"it has more than {MOST_FILES:,} files or {MOST_BYTES // 2**20:,} MiB")
    return members


class _Limited(io.RawIOBase):
    """Reads what was compressed. One that makes any number of bytes of a few is not read to its end."""

    def __init__(self, content: gzip.GzipFile) -> None:
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
