"""Which errors of the system are told as such, and which stay defects: those are logged, with where they happened."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from orchestrator.errors import of_the_system

REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENOMEM)


@pytest.mark.parametrize("number", REFUSED, ids=errno.errorcode.get)
def test_what_the_system_refuses_is_told_with_the_file(number: int) -> None:
    told = of_the_system(OSError(number, os.strerror(number), "/state/x"))

    assert told is not None
    assert told.cause == f"{os.strerror(number)}: /state/x."


def test_what_nobody_should_have_asked_for_is_a_defect(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "more").mkdir(parents=True)
    asks = (
        lambda: (tmp_path / "gone").read_text(),
        lambda: shutil.rmtree(tmp_path / "gone"),
        lambda: (tmp_path / "folder").mkdir(),
        lambda: (tmp_path / "folder").read_text(),
        lambda: (tmp_path / "folder").rmdir(),
        lambda: (tmp_path / "file" / "x").read_text(),
        lambda: os.close(2**20),
        lambda: shutil.copytree(tmp_path / "folder", tmp_path / "folder"),
    )
    for ask in asks:
        with pytest.raises(OSError, match=r".") as failed:
            ask()
        assert of_the_system(failed.value) is None, failed.value
