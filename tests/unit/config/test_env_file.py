"""Files of NAME=value lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.env_file import EnvFileUnreadable, read_env_file


def test_names_and_values_are_read_and_comments_are_not(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_text("# secrets\nTOKEN=abc=def\n\n  KEY = two words \n# OLD=1\nTOKEN=last\nno value\nEMPTY=\n")

    assert read_env_file(file) == {"TOKEN": "last", "KEY": "two words", "EMPTY": ""}


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvFileUnreadable, match=r"gone\.env cannot be read: No such file or directory") as failed:
        read_env_file(tmp_path / "gone.env")

    assert "run.env_file" in failed.value.remedy


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_bytes(b"KEY=\xff\n")

    with pytest.raises(EnvFileUnreadable, match="it is not UTF-8 text"):
        read_env_file(file)
