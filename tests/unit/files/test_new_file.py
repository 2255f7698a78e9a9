"""What replaces a file is written into a new one, whatever a stranger has put into its place before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.access import tokens
from orchestrator.config import durable_text, user_files
from orchestrator.journal.store import Journal


def stands_there(path: Path, kind: str, other: Path) -> None:
    match kind:
        case "file":
            path.write_text("half of i")
            path.chmod(0o666)
        case "hard link":
            path.hardlink_to(other)
        case "link":
            path.symlink_to(other)
        case "pipe":
            os.mkfifo(path)


def a_token(folder: Path, journal: Journal) -> Path:
    return tokens.leave_token(journal, folder, "given")


def kept_configuration(folder: Path, _journal: Journal) -> Path:
    durable_text.save(folder / "c.yaml", "new")
    return folder / "c.yaml"


def changed_configuration(folder: Path, _journal: Journal) -> Path:
    (folder / "c.yaml").touch(0o600)
    assert durable_text.rewrite(folder / "c.yaml", "new", before="")
    return folder / "c.yaml"


def first_configuration(folder: Path, _journal: Journal) -> Path:
    (folder / "c.example.yaml").touch()
    kept = folder.parent / "kept"
    kept.write_text("new")
    assert user_files.make_missing(folder / "c.yaml", kept)
    return folder / "c.yaml"


WRITES = {
    "token.new": a_token,
    "c.yaml.new": kept_configuration,
    "c.yaml.new again": changed_configuration,
    ".c.yaml.new": first_configuration,
}


@pytest.mark.parametrize("kind", ["file", "hard link", "link", "pipe"])
@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_into_what_stands_where_a_file_is_written_first(
    journal: Journal, tmp_path: Path, name: str, kind: str
) -> None:
    """The folders are a person's, and the orchestrator is root: it wrote into other files, gave them away, or waited
    for ever."""
    folder, other = tmp_path / "a-persons", tmp_path / "of-somebody-else"
    folder.mkdir()
    other.write_text("theirs")
    stands_there(folder / name.split()[0], kind, other)

    path = WRITES[name](folder, journal)

    assert other.read_text() == "theirs"
    assert path.is_file()
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (folder / name.split()[0]).exists()
