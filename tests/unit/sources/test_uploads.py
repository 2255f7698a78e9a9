"""Archives that are uploaded: whole or not at all, few, and gone with their deployment."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.deploy.used_uploads import LOOK_AGAIN_S, keep_removing_unused
from orchestrator.errors import Refused
from orchestrator.journal.store import Journal
from orchestrator.sources import uploads as limits
from orchestrator.sources.uploads import MOST_UNUSED, PIECE, PIECE_WITHIN_S, UNUSED_FOR_S, TooLarge, TooSlow, Uploads
from tests.support import virtual_time


async def pieces(*some: bytes, then: BaseException | None = None, silent: bool = False) -> AsyncIterator[bytes]:
    for piece in some:
        yield piece
    if then:
        raise then
    if silent:
        await asyncio.Event().wait()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_what_arrives_is_kept_as_it_is(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)

    kept = await uploads.receive("shop", pieces(b"", b"ab" * 2**20, b"", b"c"), 0)

    content = b"ab" * 2**20 + b"c"
    assert uploads.file("shop", kept.name).read_bytes() == content
    assert (kept.sha256, kept.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert uploads.has("shop", kept.name)
    assert not uploads.has("other", kept.name)
    uploads.remove("shop", kept.name)
    assert left(tmp_path) == []


async def test_an_upload_that_is_cut_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        await Uploads(tmp_path).receive("shop", pieces(b"a" * 3 * 2**20, then=ConnectionResetError()), 0)

    assert left(tmp_path) == []


async def test_an_upload_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    task = asyncio.create_task(Uploads(tmp_path).receive("shop", pieces(b"a" * 3 * 2**20, silent=True), 0))
    while not left(tmp_path):  # noqa: ASYNC110 (a file has no event)
        await asyncio.sleep(0.01)
    assert left(tmp_path)[0].endswith(".part")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert left(tmp_path) == []


async def slowly(pieces: int, pause_s: float, size: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        await asyncio.sleep(pause_s)
        yield b"a" * size


@pytest.mark.parametrize(
    "content",
    [
        pieces(b"a", silent=True),
        pieces(silent=True),
        pieces(b"a" * 2 * PIECE, silent=True),
        slowly(10_000, PIECE_WITHIN_S / 100, 1),
        slowly(10_000, PIECE_WITHIN_S / 8, PIECE // 10),
    ],
    ids=["silent soon", "silent", "silent later", "dripping", "slow"],
)
def test_an_upload_that_is_silent_or_too_slow_is_given_up(content: AsyncIterator[bytes], tmp_path: Path) -> None:
    """One byte in a minute kept its place from others for half an hour."""

    async def told() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TooSlow):
            await Uploads(tmp_path).receive("shop", content, 0)
        return asyncio.get_running_loop().time() - began

    assert virtual_time.run(told()) == pytest.approx(PIECE_WITHIN_S, abs=1)
    assert left(tmp_path) == []


def test_an_upload_that_is_just_fast_enough_arrives(tmp_path: Path) -> None:
    async def told() -> int:
        content = slowly(5 * 9, PIECE_WITHIN_S / 10, PIECE // 9 + 1)
        return (await Uploads(tmp_path).receive("shop", content, 0)).size

    assert virtual_time.run(told()) == 5 * 9 * (PIECE // 9 + 1)


async def test_an_archive_beyond_the_limit_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 2**20)

    with pytest.raises(TooLarge):
        await Uploads(tmp_path).receive("shop", pieces(b"a" * 2**20, b"a"), 0)
    assert left(tmp_path) == []


async def test_the_disk_is_not_filled_up(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"disk\.min_free_mb"):
        await Uploads(tmp_path).receive("shop", pieces(b"a"), 2**62)
    assert left(tmp_path) == []


async def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)

    one, other = await asyncio.gather(
        uploads.receive("shop", pieces(*[b"a" * 2**20] * 4), 0), uploads.receive("shop", pieces(*[b"b" * 2**20] * 4), 0)
    )

    assert uploads.file("shop", one.name).read_bytes() == b"a" * 4 * 2**20
    assert uploads.file("shop", other.name).read_bytes() == b"b" * 4 * 2**20


async def test_of_archives_that_nobody_deploys_the_oldest_make_room(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    names = [(await uploads.receive("shop", pieces(b"a"), 0)).name for _ in range(MOST_UNUSED + 2)]
    for age, name in enumerate(reversed(names)):
        os.utime(uploads.file("shop", name), (1000 - age, 1000 - age))

    uploads.make_room("shop", needed={names[0]})

    assert [uploads.has("shop", name) for name in names] == [True, False, False, True, True, True]


async def test_a_start_removes_what_was_cut_and_what_nobody_asked_for(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    new, old, needed = [(await uploads.receive("shop", pieces(b"a"), 0)).name for _ in range(3)]
    (tmp_path / "shop" / "0123456789abcdef.part").write_bytes(b"a")
    for name in (old, needed):
        os.utime(uploads.file("shop", name), (1000, 1000))
    assert UNUSED_FOR_S > 60

    uploads.remove_left({needed})

    assert left(tmp_path) == sorted([f"{new}.tar", f"{needed}.tar"])


async def test_a_start_does_not_cut_what_arrives_meanwhile(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)

    async def arriving() -> AsyncIterator[bytes]:
        yield b"a"
        uploads.remove_left(set())
        yield b"b"

    upload = await uploads.receive("shop", arriving(), 0)

    assert uploads.file("shop", upload.name).read_bytes() == b"ab"


async def test_an_upload_that_is_cancelled_while_it_gets_its_name_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = limits._name
    loop = asyncio.get_running_loop()

    def cancelled(part: Path, whole: Path) -> None:
        names(part, whole)
        asyncio.run_coroutine_threadsafe(cancel(), loop).result()

    async def cancel() -> None:
        receiving.cancel()

    monkeypatch.setattr(limits, "_name", cancelled)
    receiving = asyncio.create_task(Uploads(tmp_path).receive("shop", pieces(b"a"), 0))
    with pytest.raises(asyncio.CancelledError):
        await receiving

    assert left(tmp_path) == []


async def test_an_archive_that_cannot_be_begun_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(Refused, match="No space left on device"):
        await Uploads(tmp_path).receive("shop", pieces(b"a"), 0)


async def test_the_name_of_an_archive_is_on_the_disk_before_it_is_given_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(limits, "sync_folder", synced.append)

    await Uploads(tmp_path).receive("shop", pieces(b"a"), 0)

    assert synced == [tmp_path / "shop"]


def test_what_nobody_deploys_is_removed_without_a_start(tmp_path: Path, journal: Journal) -> None:
    uploads = Uploads(tmp_path / "uploads")

    async def story() -> None:
        old, new = [(await uploads.receive("shop", pieces(b"a"), 0)).name for _ in range(2)]
        os.utime(uploads.file("shop", old), (1000, 1000))
        removing = asyncio.create_task(keep_removing_unused(uploads, journal))
        await asyncio.sleep(LOOK_AGAIN_S + 1)
        removing.cancel()
        assert (uploads.has("shop", old), uploads.has("shop", new)) == (False, True)

    virtual_time.run(story())


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "x", "0123456789ABCDEF", "0123456789abcdef/.."])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    uploads = Uploads(tmp_path / "uploads")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd.tar").write_text("kept")

    uploads.remove("shop", name)

    assert not uploads.has("shop", name)
    assert (tmp_path / "etc" / "passwd.tar").read_text() == "kept"
