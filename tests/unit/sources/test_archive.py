"""Archives of strangers, byte by byte: what tarfile alone would write, or fail with."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from pathlib import Path
from time import process_time

import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources import archive, archive_links

LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE
END = bytes(2 * tarfile.BLOCKSIZE)


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", size: int = 0) -> bytes:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, to, size
    return found.tobuf(tarfile.GNU_FORMAT)


def extended(*records: tuple[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Extended headers (POSIX.1-2001, pax): for the next member, or with XGLTYPE for all."""
    content = b"".join(map(_record, records))
    header = tarfile.TarInfo("pax")
    header.type, header.size = kind, len(content)
    return header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _record(record: tuple[str, str]) -> bytes:
    text = f" {record[0]}={record[1]}\n"
    length = len(text)
    while length != len(text) + len(str(length)):
        length = len(text) + len(str(length))
    return f"{length}{text}".encode()


def unpacked(folder: Path, content: bytes) -> Path:
    tree = folder / "tree"
    tree.mkdir()
    (folder / "shop.tar.gz").write_bytes(gzip.compress(content + END, 1))
    archive.unpack(folder / "shop.tar.gz", tree)
    return tree


FILE = member("shop/Dockerfile")
REFUSED = {
    "a link out of it": (
        FILE + member("shop/l", LINK, "../../x"),
        "'shop/l' is a link to '../../x', which leads outside",
    ),
    "an absolute link": (FILE + member("shop/l", LINK, "/etc"), "'shop/l' is a link to '/etc', which leads outside of"),
    "a link out of it by another link": (
        FILE + member("shop/a", LINK, ".") + member("shop/b", LINK, "a/../.."),
        "which leads outside of the archive",
    ),
    "a link out of its only folder": (
        FILE + member("shop/l", LINK, "../x"),
        "'shop/l' is a link, which leads outside of",
    ),
    "a link out of its only folder by another link": (
        FILE + member("shop/a", LINK, ".") + member("shop/b", LINK, "a/.."),
        "'shop/b' is a link, which leads outside of the archive",
    ),
    "a link by way of many": (
        FILE + b"".join(member(f"shop/l{number}", LINK, f"l{number + 1}") for number in range(41)),
        "is a link by way of too many links",
    ),
    "a link that passes others often": (
        FILE + member("shop/a", LINK, ".") + member("shop/b", LINK, "/".join(["a"] * 41)),
        "'shop/b' is a link by way of too many links",
    ),
    "a link to a long path": (FILE + member("shop/l", LINK, "d/" * 2100), "or to a path that is too long"),
    "two links of one name": (
        FILE + member("shop/l", LINK, "a") + member("./shop/l", LINK, "b"),
        "'./shop/l' is in it as two different links",
    ),
    "a device": (FILE + member("shop/d", tarfile.CHRTYPE), "'shop/d' is a device or pipe, which no build needs"),
    "an absolute name": (
        member("/etc/Dockerfile"),
        "it has the name '/etc/Dockerfile', which leads outside of the archive",
    ),
    "a name that is the whole archive": (member("") + FILE, "it is a file or link itself"),
    "a link that is the whole archive": (member(".", LINK, ".") + FILE, "it is a file or link itself"),
    "a link as the outer folder": (member("shop", LINK, ".") + FILE, "'shop' is a link, and there is something below"),
    "the outer folder again, as a link": (
        member("shop", tarfile.DIRTYPE) + FILE + member("./shop", LINK, "."),
        "'shop' is a link, and there is something below",
    ),
    "a file again, as a link": (FILE + member("shop/Dockerfile", LINK, "x"), "as a file and as a link"),
    "a hard link to a later file": (
        FILE + member("shop/h", HARD, "shop/later") + member("shop/later"),
        "'shop/h' is a hard link to something that is no file before it",
    ),
    "a hard link to nothing": (
        FILE + member("shop/h", HARD, "shop/none"),
        "is a hard link to something that is no file before it",
    ),
    "a hard link to itself": (
        FILE + member("shop/h", HARD, "shop/h"),
        "is a hard link to something that is no file before it",
    ),
    "a negative size": (FILE + member("shop/n", size=-512), "the size of 'shop/n' is negative"),
    "a name of any length": (extended(("path", "shop/" + "a/" * 3000)) + FILE, "one of its names is too long"),
    "a name that ends in the middle": (extended(("path", "shop/\0a")) + FILE, "leads outside"),
    "a date that is no number": (extended(("mtime", "nan")) + FILE, "NaN"),
    "a date after all days": (extended(("mtime", "1e300")) + FILE, "out of range"),
    "a map of holes that is none": (extended(("GNU.sparse.map", "a,b"), ("GNU.sparse.size", "5")) + FILE, "invalid"),
    "nothing": (b"", "it is empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_the_order_or_the_disk_is_refused_and_nothing_stays(tmp_path: Path, name: str) -> None:
    content, says = REFUSED[name]

    with pytest.raises(StepFailed, match=f"shop.tar.gz cannot be unpacked: .*{says}"):
        unpacked(tmp_path, content)

    assert {one.name for one in tmp_path.iterdir()} == {"shop.tar.gz", "tree"}
    assert not (tmp_path / "tree").is_symlink()


def test_links_that_stay_inside_are_unpacked(tmp_path: Path) -> None:
    tree = unpacked(
        tmp_path, FILE + member("shop/l", LINK, "Dockerfile") + member("shop/h", HARD, "shop/Dockerfile") + FILE
    )

    assert {one.name for one in tree.iterdir()} == {"Dockerfile", "l", "h"}


def test_links_that_lead_to_themselves_or_nowhere_and_one_that_is_in_it_twice_are_unpacked(tmp_path: Path) -> None:
    links = {"self": "self", "one": "two", "two": "one", "gone": "a/b/../c", "by-loop": "self/x", "l": "Dockerfile"}
    links |= {f"l{number}": f"l{number + 1}" for number in range(39)}
    packed = b"".join(member(f"shop/{name}", LINK, to) for name, to in links.items())

    tree = unpacked(tmp_path, FILE + packed + member("shop/l", LINK, "Dockerfile"))

    assert {one.name: str(one.readlink()) for one in tree.iterdir() if one.is_symlink()} == links


@pytest.mark.parametrize("is_first", [False, True])
def test_links_are_followed_in_linear_time(tmp_path: Path, is_first: bool) -> None:
    """13 ms for each of 100,000 links were 20 minutes, in which nothing could be cancelled."""
    way = b"".join(member(f"shop/l{number}", LINK, f"l{number + 1}") for number in range(2000))
    many = b"".join(member(f"shop/x{number}", LINK, "l0") for number in range(300))
    began = process_time()

    with pytest.raises(StepFailed, match="by way of too many links"):
        unpacked(tmp_path, FILE + (way + many if is_first else many + way))

    assert process_time() - began < 1


def test_the_texts_of_all_links_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_links, "MOST_OF_TEXTS", 1000)

    with pytest.raises(StepFailed, match="its links have more than"):
        unpacked(tmp_path, FILE + b"".join(member(f"shop/x{number}", LINK, "d/" * 40) for number in range(20)))


def test_headers_for_all_members_are_few(tmp_path: Path) -> None:
    """tarfile gives each member a copy: with 100,000 of each, 50 kilobytes of gzip were a terabyte of memory."""
    records = [(f"k{number}", "") for number in range(200)]

    with pytest.raises(StepFailed, match="its extended headers have more than"):
        unpacked(tmp_path, extended(*records, kind=tarfile.XGLTYPE) + FILE)


def test_headers_of_all_members_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_OF_EXTENSIONS", 10_000)

    with pytest.raises(StepFailed, match="its extended headers have more than"):
        unpacked(tmp_path, (extended(("comment", "x" * 2000)) + FILE) * 10)


def test_what_a_killed_process_left_is_no_part_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "tree.unpacked" / "shop").mkdir(parents=True)
    (tmp_path / "tree.unpacked" / "shop" / "old").touch()

    assert [one.name for one in unpacked(tmp_path, FILE).iterdir()] == ["Dockerfile"]


CUT, NO_TAR = "it ends too early, as if it was cut off on its way", "it is no tar archive, or a damaged one"
NOT_TAR = "and not a tar archive, compressed by gzip or not"


HALF = member("shop/a", size=5000) + b"x" * 1000
NO_ARCHIVE: dict[str, tuple[bytes, str]] = {
    "compressed, without its end": (gzip.compress(FILE * 50 + END, mtime=0)[:-20], CUT),
    "half a file, compressed": (gzip.compress(HALF, mtime=0), CUT),
    "half a file": (HALF, CUT),
    "half a header": (FILE[:300], CUT),
    "nothing": (b"", NO_TAR),
    "a text": (b"this is no archive\n" * 100, NO_TAR),
    "a text, compressed": (gzip.compress(b"nor is this\n" * 100, mtime=0), NO_TAR),
    "a zip file": (b"PK\x03\x04" + bytes(range(256)) * 20, f"it is a zip file, {NOT_TAR}"),
    "a short zip file": (b"PK\x03\x04" + bytes(96), f"it is a zip file, {NOT_TAR}"),
    "compressed by bzip2": (bz2.compress(FILE + END), f"it is compressed by bzip2, {NOT_TAR}"),
    "compressed by xz": (lzma.compress(FILE + END), f"it is compressed by xz, {NOT_TAR}"),
    "a name that no disk takes": (member("y" * 255 + "/x") + member("y" * 256) + END, "one of its names is too long"),
    "the beginning of a compressed one": (b"\x1f\x8b" + b"nor is this", NO_TAR),
}


@pytest.mark.parametrize("what", NO_ARCHIVE)
def test_what_is_no_archive_or_half_of_one_is_told_in_plain_words(tmp_path: Path, what: str) -> None:
    content, says = NO_ARCHIVE[what]
    (tmp_path / "tree").mkdir()
    (tmp_path / "shop.tar.gz").write_bytes(content)

    with pytest.raises(StepFailed) as refused:
        archive.unpack(tmp_path / "shop.tar.gz", tmp_path / "tree", called="The archive")

    assert refused.value.cause == f"The archive cannot be unpacked: {says}."
    assert [*(tmp_path / "tree").iterdir()] == []
