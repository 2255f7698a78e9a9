"""A name leads to what is beneath its folder, or nowhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.files.beneath import Folder, LeadsOutside, NotAFile, parts_of, within


@pytest.mark.parametrize("name", ["", "/", "/etc", "..", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "a\0b", "a/.."])
def test_a_name_that_is_not_one_inside_is_refused(name: str) -> None:
    with pytest.raises(LeadsOutside):
        parts_of(name)


@given(st.text(st.sampled_from("ab./\0"), max_size=8))
def test_no_name_is_accepted_that_a_path_would_resolve_elsewhere(name: str) -> None:
    try:
        parts = parts_of(name)
    except LeadsOutside:
        return
    assert os.path.normpath(f"/root/{name}") == "/root/" + "/".join(parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_text("mine")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("of others")
    return folder


class Swap:
    """Puts a link in the place of a file at the moment in which it is opened, after it was looked at."""

    def __init__(self, file: Path, target: Path) -> None:
        self._file, self._target = file, target
        self.happened = False
        sys.addaudithook(self._hear)  # cannot be taken away again: does nothing after the first time

    def _hear(self, event: str, about: tuple[object, ...]) -> None:
        if event == "open" and not self.happened and about[0] == self._file.name:
            self.happened = True
            self._file.unlink()
            self._file.symlink_to(self._target)


def test_a_file_that_becomes_a_link_after_it_was_looked_at_is_not_followed(folder: Path) -> None:
    swap = Swap(folder / "inner" / "file", folder.parent / "outside" / "file")
    with Folder.open(folder) as held, pytest.raises(NotAFile):
        held.open_file("inner/file")

    assert swap.happened


@pytest.mark.parametrize("target", ["../outside", "/etc", ".", "inner", "/proc/self/cwd"])
def test_no_link_is_followed_by_anything(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    before = sorted((folder.parent / "outside").iterdir())
    with Folder.open(folder) as held:
        for act in (
            lambda: held.folder("link"),
            lambda: held.open_file("link/file"),
            lambda: held.new_file("link/new"),
            lambda: held.new_folder("link/new"),
            lambda: held.new_folder("link/new/newer", parents=True),
            lambda: held.new_link("link/new", "x"),
            lambda: held.status("link/file"),
        ):
            with pytest.raises(NotADirectoryError):
                act()
        with pytest.raises(NotAFile):
            held.open_file("link")
        with pytest.raises(FileExistsError):
            held.new_file("link")
        assert [entry.name for entry in held.walk()] == ["inner", "link", "inner/file"]
        held.remove("link")

    assert sorted((folder.parent / "outside").iterdir()) == before
    assert (folder / "inner" / "file").read_text() == "mine"


def test_a_folder_that_is_removed_does_not_take_what_its_links_lead_to_with_it(folder: Path) -> None:
    (folder / "inner" / "link").symlink_to("../../outside")
    with Folder.open(folder) as held:
        held.remove("inner")

    assert (folder.parent / "outside" / "file").read_text() == "of others"


def test_a_folder_that_was_moved_away_is_still_the_one_that_is_held(folder: Path) -> None:
    with Folder.open(folder) as held:
        folder.rename(folder.with_name("moved"))
        folder.symlink_to(folder.with_name("outside"))
        os.close(held.new_file("new"))

    assert (folder.with_name("moved") / "new").exists()
    assert not (folder.with_name("outside") / "new").exists()


def test_a_real_path_within_is_found_and_one_elsewhere_refused(folder: Path) -> None:
    (folder / "link").symlink_to("inner/file")
    (folder / "out").symlink_to("../outside/file")

    assert within(folder, "link") == folder / "inner" / "file"
    for name in ("out", "../outside/file", "/etc/hostname", "inner/../../outside/file"):
        with pytest.raises(LeadsOutside):
            within(folder, name)
    with pytest.raises(FileNotFoundError):
        within(folder, "missing")
