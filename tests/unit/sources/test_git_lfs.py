"""Files in Git LFS: what whoever commits may make them take of the disk and of the time."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources import git_lfs
from orchestrator.sources.git_lfs import Pointer, refuse_too_large, write_contents

CONTENT = b"a large file"
OID = hashlib.sha256(CONTENT).hexdigest()


def fetched(mirror: Path) -> None:
    place = mirror / "lfs" / "objects" / OID[:2] / OID[2:4] / OID
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)


def pointers(folder: Path, number: int, size: int = len(CONTENT)) -> list[Pointer]:
    files = [folder / f"{at}.bin" for at in range(number)]
    for file in files:
        file.touch()
    return [Pointer(file, OID, size) for file in files]


def test_content_that_many_files_have_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(tmp_path)
    computed: list[Path] = []
    digest = git_lfs._digest

    def counted(file: Path) -> str:
        computed.append(file)
        return digest(file)

    monkeypatch.setattr(git_lfs, "_digest", counted)

    write_contents(tmp_path, found := pointers(tmp_path, 20))

    assert len(computed) == 1
    assert {one.file.read_bytes() for one in found} == {CONTENT}


@pytest.mark.parametrize(
    ("number", "share", "is_refused"),
    [(1, 0.4, False), (1, 0.5, True), (3, 0.4, True)],
    ids=["it fits, and its copy", "its copy does not", "nor do many copies"],
)
def test_what_the_disk_has_no_room_for_is_not_fetched(
    tmp_path: Path, number: int, share: float, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**9}))
    found = pointers(tmp_path, number, int(share * 10**9))
    if not is_refused:
        refuse_too_large(tmp_path, found, tmp_path)
        return
    with pytest.raises(StepFailed, match=r"Its files in Git LFS need .* MiB, and the disk has 953 MiB free"):
        refuse_too_large(tmp_path, found, tmp_path)


def test_any_size_that_a_pointer_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="Its files in Git LFS need"):
        refuse_too_large(tmp_path, pointers(tmp_path, 1, 10**18 - 1), tmp_path)
