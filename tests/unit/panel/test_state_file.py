"""The state of `changeover panel` in its file: one for each run, whole at any moment, and nothing is lost of others."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from panel.session.form import FORM
from panel.session.found import Found
from panel.session.preferences import LIGHT, Preferences
from panel.session.state import SessionState
from panel.session.state_file import StateFile
from panel.session.unavailable import StoreUnavailable
from tests.support.paths import ROOT

URL = "http://127.0.0.1:8090"


def run_that_saves(folder: Path, selected: str) -> None:
    run = StateFile(folder, URL)
    run.load()
    run.save(SessionState(selected=selected))
    run.close()


def files(folder: Path, ending: str = "json") -> list[Path]:
    return sorted(folder.glob(f"panel/*.{ending}"))


def test_the_next_run_finds_what_the_last_one_saved_and_nobody_else_reads_it(tmp_path: Path) -> None:
    run_that_saves(tmp_path, "shop")
    run_that_saves(tmp_path, "till")

    assert StateFile(tmp_path, URL).load() == Found(SessionState(selected="till"))
    assert StateFile(tmp_path, "http://other").load() == Found()
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_two_runs_at_once_have_a_file_each(tmp_path: Path) -> None:
    one, two = StateFile(tmp_path, URL), StateFile(tmp_path, URL)
    one.load()
    one.save(SessionState(selected="shop"))
    assert two.load() == Found(SessionState())
    two.save(SessionState(selected="till"))
    one.save(SessionState(selected="blog"))
    one.close()
    assert StateFile(tmp_path, URL).load() == Found(SessionState(selected="blog")), "that of the other is in use"
    two.close()
    assert [file.read_text().count("till") for file in files(tmp_path)] == [0, 1]


def test_a_run_beside_another_begins_anew_with_the_same_preferences(tmp_path: Path) -> None:
    light = Preferences(theme=LIGHT)
    one = StateFile(tmp_path, URL)
    one.load()
    one.save(SessionState(release="v1", selected="shop", preferences=light))
    assert StateFile(tmp_path, URL).load() == Found(SessionState(release="v1", preferences=light))


def test_the_lock_of_a_run_that_was_killed_is_free(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from panel.session.state import SessionState; from panel.session.state_file import StateFile\n"
        f"run = StateFile(Path(sys.argv[1]), {URL!r}); run.load(); run.save(SessionState(selected='shop'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert StateFile(tmp_path, URL).load() == Found(SessionState(selected="shop"))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\x00", b'{"selected": 1}', b'{"form": %d}' % (FORM + 1), b" " * 1_100_000]
)
def test_what_cannot_be_read_is_kept_under_another_name(tmp_path: Path, content: bytes) -> None:
    run_that_saves(tmp_path, "shop")
    (file,) = files(tmp_path)
    file.write_bytes(content)

    run = StateFile(tmp_path, URL)
    found = run.load()
    run.save(SessionState(selected="till"))
    run.close()

    (aside,) = files(tmp_path, "set-aside-*")
    assert found.state is None
    assert str(aside) in found.notice
    assert aside.read_bytes() == content
    assert StateFile(tmp_path, URL).load() == Found(SessionState(selected="till"))


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    run_that_saves(tmp_path, "shop")
    (file,) = files(tmp_path)
    os.symlink("/dev/full", file.with_suffix(".new"))

    run = StateFile(tmp_path, URL)
    run.load()
    with pytest.raises(StoreUnavailable, match="No space left"):
        run.save(SessionState(selected="till"))
    run.close()

    assert StateFile(tmp_path, URL).load() == Found(SessionState(selected="shop"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        StateFile(tmp_path / "file", URL).load()
