"""Archives that were uploaded for one deployment each. Nothing of them stays once that has ended."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orchestrator.domain.by_hand import UPLOAD
from orchestrator.errors import Refused
from orchestrator.files.synced import sync_folder
from orchestrator.host.uninterrupted import to_its_end

T = TypeVar("T")
MOST_BYTES = 2 * 2**30
WITHIN_S = 30 * 60.0
PIECE = 2**20
"""Bytes that are written at once."""
PIECE_WITHIN_S = 60.0
"""An upload of which less than a piece comes in so long has ended: it would keep its place from others for WITHIN_S."""
MOST_UNUSED = 4
"""So many archives of an app wait for a deployment to be asked for: then the oldest of them is removed."""
UNUSED_FOR_S = 3600.0
PART, WHOLE = ".part", ".tar"


class TooLarge(Exception):
    """It has more than MOST_BYTES."""


class TooSlow(Exception):
    """It did not arrive within WITHIN_S, or a piece of it not within PIECE_WITHIN_S seconds."""


@dataclass(frozen=True)
class Upload:
    """`name` is new for each; `sha256` and `size` are of what arrived, in bytes."""

    name: str
    sha256: str
    size: int


class Uploads:
    """The uploads of all apps, a folder for each app. What is half written has another ending: a kill leaves nothing
    that could be deployed, and the next start removes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arriving: set[str] = set()

    def file(self, app: str, name: str) -> Path:
        return self._folder / app / f"{name}{WHOLE}"

    def has(self, app: str, name: str) -> bool:
        return bool(UPLOAD.fullmatch(name)) and self.file(app, name).is_file()

    async def receive(self, app: str, content: AsyncIterator[bytes], min_free: int) -> Upload:
        """Write what arrives, and keep it for a deployment. A cancel, and whatever else goes wrong, leaves nothing.

        Raises TooLarge, TooSlow, and Refused when fewer than `min_free` bytes of the disk would be left.
        """
        name = secrets.token_hex(8)
        whole = self.file(app, name)
        part = whole.with_suffix(PART)
        is_kept = False
        self._arriving.add(name)
        try:
            await _on_disk(lambda: part.parent.mkdir(parents=True, exist_ok=True))
            async with asyncio.timeout(WITHIN_S):
                sha256, size = await self._write(part, content, min_free)
            await _on_disk(lambda: _name(part, whole))
            is_kept = True
        except TimeoutError as error:
            raise TooSlow from error
        finally:
            self._arriving.discard(name)
            await _on_disk(lambda: _remove(part, *(() if is_kept else (whole,))))
        return Upload(name, sha256, size)

    async def _write(self, part: Path, content: AsyncIterator[bytes], min_free: int) -> tuple[str, int]:
        digest, size, piece = hashlib.sha256(), 0, bytearray()

        def write() -> None:
            if shutil.disk_usage(part.parent).free - len(piece) < min_free:
                raise Refused(
                    f"The disk has less than {min_free // 2**20} MiB free (disk.min_free_mb): the archive is not kept.",
                    "Free disk space: 'changeover doctor' shows its use.",
                )
            digest.update(piece)
            file.write(piece)
            piece.clear()

        def keep() -> None:
            write()
            file.flush()
            os.fsync(file.fileno())

        clock = asyncio.get_running_loop().time
        file = await _on_disk(lambda: part.open("wb"))
        try:
            until = clock() + PIECE_WITHIN_S
            while some := await _next(content, until):
                piece += some
                size += len(some)
                if size > MOST_BYTES:
                    raise TooLarge
                if len(piece) >= PIECE:
                    await _on_disk(write)
                    until = clock() + PIECE_WITHIN_S  # the time that the disk took is not the sender's
            await _on_disk(keep)
        finally:
            await _on_disk(file.close)  # which writes what a full disk did not take before
        return digest.hexdigest(), size

    def remove(self, app: str, name: str) -> None:
        """Remove one, if it is there."""
        if UPLOAD.fullmatch(name):
            self.file(app, name).unlink(missing_ok=True)

    def make_room(self, app: str, needed: Collection[str]) -> None:
        """Remove the app's oldest archives for which no deployment was asked, so that one more fits. `needed` are those
        of the deployments that are queued or run."""
        unused = [file for file in self._folder.glob(f"{app}/*{WHOLE}") if file.stem not in needed]
        unused.sort(key=lambda file: file.stat().st_mtime, reverse=True)
        for file in unused[MOST_UNUSED - 1 :]:
            file.unlink(missing_ok=True)

    def remove_left(self, needed: Collection[str]) -> None:
        """Remove what an earlier process left half written, and what nobody has asked for in an hour."""
        for file in self._folder.glob("*/*"):
            try:
                is_old = time.time() - file.stat().st_mtime > UNUSED_FOR_S
            except FileNotFoundError:  # its deployment has ended meanwhile
                continue
            # While the start waits for the proxy, the API takes uploads already.
            is_cut = file.suffix == PART and file.stem not in self._arriving
            if is_cut or (file.suffix != PART and file.stem not in needed and is_old):
                file.unlink(missing_ok=True)


async def _next(content: AsyncIterator[bytes], until: float) -> bytes:
    """The next bytes that are any; none at the end. Raises TimeoutError at the moment `until` of the loop's clock."""
    async with asyncio.timeout_at(until):
        async for some in content:
            if some:
                return some
    return b""


def _name(part: Path, whole: Path) -> None:
    os.replace(part, whole)
    sync_folder(whole.parent)


def _remove(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


async def _on_disk(work: Callable[[], T]) -> T:
    """In a thread, and to its end. Raises Refused when the disk does not take it."""
    try:
        return await to_its_end(asyncio.to_thread(work))
    except OSError as error:
        says = f"The archive cannot be kept: {error.strerror}."
        raise Refused(says, "Free disk space: 'changeover doctor' shows its use.") from error
