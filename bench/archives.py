"""What hostile archives take before they are refused, by each way that archives come: `python -m bench.archives`.

A bomb of 10 GB in each compression, a million files, and names, links and devices that lead out of the folder; sent by
hand (`--archive`), from a web server with a manifest (`url`), and as source distribution of a package index (`pypi`).
Each runs in a process of its own, whose memory is looked at; the results are kept in bench/results.
"""

from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import json
import lzma
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from orchestrator.config.source_schema import PypiSource, UrlSource
from orchestrator.domain.by_hand import UploadedArchive
from orchestrator.errors import StepFailed
from orchestrator.sources.base import Source
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.uploaded_archive import ArchivedByHand
from orchestrator.sources.uploads import Uploads
from orchestrator.sources.url import ArchivedReleases
from tests.support.package_index import Served, StaticIndex
from tests.support.results import keep_result

BOMB_BYTES, FILES = 10 * 2**30, 1_000_000
ZEROS = bytes(2**26)
MOST_MORE_MB, MOST_S = 150, 120
"""A million headers of tar are read up to the limit of 100,000, with a kilobyte of memory for each."""
LEADS_OUT = {
    "a name with ..": ("shop/../../outside", tarfile.REGTYPE, ""),
    "an absolute name": ("/tmp/outside", tarfile.REGTYPE, ""),
    "a link out": ("shop/link", tarfile.SYMTYPE, "../../outside"),
    "an absolute link": ("shop/link", tarfile.SYMTYPE, "/etc"),
    "a hard link out": ("shop/link", tarfile.LNKTYPE, "../outside"),
    "a device": ("shop/device", tarfile.CHRTYPE, ""),
    "a block device": ("shop/device", tarfile.BLKTYPE, ""),
    "a pipe": ("shop/pipe", tarfile.FIFOTYPE, ""),
}
WAYS = ("by hand", "url", "pypi")


@dataclass(frozen=True)
class Refused:
    says: str
    seconds: float
    more_mb: float
    """The most memory of the process, beyond what it had before."""
    left: tuple[str, ...]
    """What is in its folder afterwards that was not there before."""
    most_of_disk_mb: float


def _header(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", size: int = 0) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, to, size
    return member.tobuf(tarfile.GNU_FORMAT)


def _zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=content, check=True, stdout=subprocess.PIPE).stdout


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, 6),
    "bzip2": bz2.compress,
    "xz": lambda content: lzma.compress(content, preset=1),
} | ({"zstd": _zstd} if shutil.which("zstd") else {})


def _archives(folder: Path) -> Iterator[tuple[str, Path]]:
    for name, pack in PACKERS.items():
        file = folder / f"bomb.{name}"
        zeros = pack(ZEROS)
        with file.open("wb") as packed:
            # Each of these formats may be several of it in a row.
            packed.write(pack(_header("shop/Dockerfile", size=BOMB_BYTES)))
            for _ in range(BOMB_BYTES // len(ZEROS)):
                packed.write(zeros)
        yield f"10 GB in {name}", file
    million = folder / "million"
    with gzip.open(million, "wb", 1) as packed:
        packed.write(_header("shop/Dockerfile"))
        for number in range(FILES):
            packed.write(_header(f"shop/{number}"))
    yield "a million files", million
    for name, (path, kind, to) in LEADS_OUT.items():
        file = folder / "leads-out"
        content = _header("shop/Dockerfile") + _header(path, kind, to)
        file.write_bytes(gzip.compress(content + bytes(2 * tarfile.BLOCKSIZE)))
        yield name, file


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(2**16):
            yield piece


@contextmanager
def _source(way: str, packed: Path, folder: Path) -> Iterator[Source]:
    """What brings this archive to the folder in which it would be built."""
    content = b"" if way == "by hand" else packed.read_bytes()
    if way == "by hand":
        uploads = Uploads(folder / "uploads")
        kept = asyncio.run(uploads.receive("shop", _pieces(packed), 0))
        yield ArchivedByHand("shop", UploadedArchive(kept.name, ""), uploads)
    elif way == "url":
        manifest = {"version": "1.0.0", "sha256": hashlib.sha256(content).hexdigest()}
        pages = {"/manifest.json": json.dumps(manifest).encode(), "/1.0.0.tar.gz": content}
        with Served(lambda path, _etag: (200, "application/json", "", pages[path])) as server:
            url = f"{server.url}/{{version}}.tar.gz"
            settings = UrlSource(manifest_url=f"{server.url}/manifest.json", download_url=url)
            yield ArchivedReleases(settings, folder)
    else:
        index = StaticIndex()
        index.add("shop", "shop-1.0.0.tar.gz", content)
        with Served(index.answer) as server:
            yield PackageReleases(PypiSource(package_name="shop", index_url=f"{server.url}/simple/"))


def refused(way: str, packed: Path) -> Refused:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with _source(way, packed, folder) as source:
            ours, theirs = multiprocessing.Pipe()
            child = multiprocessing.get_context("fork").Process(target=_try, args=(source, folder, theirs))
            free, most = shutil.disk_usage(folder).free, 0
            child.start()
            while not ours.poll(0.05):
                assert child.is_alive(), "the process ended"
                most = max(most, free - shutil.disk_usage(folder).free)
            says, seconds, more_kb = ours.recv()
            child.join()
        left = tuple(sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()))
        left = tuple(name for name in left if not name.startswith("uploads/"))
        return Refused(
            says.replace(str(folder), "…"), round(seconds, 2), round(more_kb / 1024, 1), left, round(most / 2**20)
        )


def _try(source: Source, folder: Path, answer: Connection) -> None:
    (folder / "work").mkdir()

    async def fetch() -> str:
        found = await source.newest()
        try:
            await source.fetch(found.release.source_revision, folder / "work" / "source")
        except StepFailed as error:
            return error.cause
        finally:
            shutil.rmtree(folder / "work")  # as the undo of the step does
        return ""

    # Of this process alone: VmHWM is that of its parent at first (proc_pid_status(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _most_kb(), time.monotonic()
    says = asyncio.run(fetch())
    answer.send((says, time.monotonic() - began, _most_kb() - before))


def _most_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    outside = Path("/tmp/outside")
    assert not outside.exists()
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        for name, packed in _archives(Path(temporary)):
            for way in WAYS:
                found = refused(way, packed)
                is_well = bool(found.says) and not found.left and not outside.exists()
                is_well = is_well and found.more_mb <= MOST_MORE_MB and found.seconds <= MOST_S
                wrong += not is_well
                print(f"{'✓' if is_well else '✗'} {name}, {way}: {found}", flush=True)
                keep_result("archives", archive=name, way=way, packed_bytes=packed.stat().st_size, **vars(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
