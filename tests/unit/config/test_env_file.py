"""Files of NAME=value lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.env_file import MOST_BYTES, EnvFileUnreadable, read_env_file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KEY=plain", "plain"),
        ("KEY=a=b=c", "a=b=c"),
        ("  KEY = two words  ", "two words"),
        ("export KEY=exported", "exported"),
        ("KEY='single # \\n $HOME'", "single # \\n $HOME"),
        ('KEY="double # \\n \\" ${HOME}"', 'double # \n " ${HOME}'),
        ("KEY=value # comment", "value"),
        ("KEY=p#ssword", "p#ssword"),
        ("KEY=$dollar$", "$dollar$"),
        ("KEY=", ""),
        ('KEY=""', ""),
        ("\ufeffKEY=after a byte order mark", "after a byte order mark"),
        ("KEY=windows\r\nOTHER=x\r\n", "windows"),
        ('KEY="first\r\nsecond"\r\nOTHER=x\r\n', "first\r\nsecond"),
        ('KEY="\\$HOME $HOME"', "$HOME $HOME"),
        ("KEY='\\$HOME'", "\\$HOME"),
        ("KEY= #value", "#value"),
        ("KEY: value", "value"),
        ('KEY="tab\\tand \\\\t \\q \\0123"', "tab\tand \\t \\q S"),
        ('KEY="-----BEGIN\nsecond\nEND-----"\nOTHER=x', "-----BEGIN\nsecond\nEND-----"),
        ("KEY=first\nKEY=last", "last"),
        ("# KEY=comment\n\n   # indented\nKEY=set", "set"),
        ("KEY=日本", "日本"),
    ],
)
def test_values_are_read_as_compose_reads_them(tmp_path: Path, text: str, value: str) -> None:
    file = tmp_path / "shop.env"
    file.write_bytes(text.encode())

    assert read_env_file(file)["KEY"] == value


@pytest.mark.parametrize(
    "text",
    [
        "A=1\n'KEY=x'=hidden",
        "A=1\n'a name'=hidden",
        "A=1\nhidden value\nB=2",
        "A=1\nKEY='hidden",
        'A=1\nKEY="hidden\nB=2',
        'A=1\n"KEY"=hidden',
        "A=1\nKEY/NAME=hidden",
        "A=1\nKEY NAME=hidden",
        "A=1\n=hidden",
        "A='1'\nKEY='x' hidden=1",
    ],
)
def test_a_line_that_sets_nothing_is_named_by_its_number_and_its_text_is_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "shop.env"
    file.write_text(text)

    with pytest.raises(EnvFileUnreadable, match=r"^Line 2 of .*shop\.env is not NAME=value") as failed:
        read_env_file(file)

    assert "hidden" not in str(failed.value)


def test_a_huge_file_and_a_null_byte_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_text("KEY=" + "x" * MOST_BYTES)
    with pytest.raises(EnvFileUnreadable, match="larger than 1024 kB"):
        read_env_file(file)

    file.write_text("KEY=a\0b")
    with pytest.raises(EnvFileUnreadable, match="null byte"):
        read_env_file(file)


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvFileUnreadable, match=r"gone\.env cannot be read: No such file or directory") as failed:
        read_env_file(tmp_path / "gone.env")

    assert "run.env_file" in failed.value.remedy


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_bytes(b"KEY=\xff\n")

    with pytest.raises(EnvFileUnreadable, match="it is not UTF-8 text"):
        read_env_file(file)
