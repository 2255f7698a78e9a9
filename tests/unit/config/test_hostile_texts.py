"""Whatever bytes the file has: a configuration, or a ConfigError, and the configuration in use stays."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import loader, watcher, yaml_text
from orchestrator.config.loader import Loaded
from orchestrator.config.watcher import ConfigFile
from orchestrator.errors import ConfigError

VALID = "apps:\n  shop:\n    update: {git: {remote: /srv/shop}}\n    route: {host: shop.test}\n"
TAGS = (
    "int",
    "float",
    "bool",
    "null",
    "str",
    "timestamp",
    "binary",
    "set",
    "omap",
    "pairs",
    "map",
    "seq",
    "merge",
    "x",
)
VALUES = (
    "",
    "''",
    "x",
    "1",
    "1.5",
    "true",
    "~",
    "[]",
    "[x]",
    "{}",
    "{x: y}",
    "2026-99-99",
    '"\\ud800"',
    "*a",
    "&a [*a]",
)
KEYS = ("disk", "apps", "update", "proxy", "hot_reload", "'a'", "<<", "2026-01-01", "? [x]\n", '"\\ud800"', "1")

nodes = st.builds(lambda tag, value: f"!!{tag} {value}", st.sampled_from(TAGS), st.sampled_from(VALUES))
values = st.one_of(nodes, st.sampled_from(VALUES), st.text(max_size=20))
documents = st.lists(st.builds(lambda key, value: f"{key}: {value}\n", st.sampled_from(KEYS), values), max_size=6)


@given(documents)
def test_no_tag_value_or_key_makes_the_reader_raise_anything_but_its_own_error(lines: list[str]) -> None:
    with suppress(ConfigError):
        loader.parse("".join(lines), "c.yaml")


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise_anything_but_its_own_error(content: bytes) -> None:
    with suppress(ConfigError):
        loader.parse(loader.text_of(content, "c.yaml"), "c.yaml")


def _in_use(folder: Path) -> ConfigFile:
    file = ConfigFile(folder / "c.yaml", folder / "kept.yaml")
    file.path.write_text(VALID)
    read = file.read_at_start()
    assert read is not None
    file.accept(read)
    return file


def _not_utf8(path: Path) -> None:
    path.write_bytes(VALID.encode() + b"# \xff\xfe\n")


def _utf16(path: Path) -> None:
    path.write_bytes(VALID.encode("utf-16"))


def _empty(path: Path) -> None:
    path.write_text("")


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _too_large(path: Path) -> None:
    path.write_text(VALID + "#" * yaml_text.MOST_BYTES)


def _a_merge_conflict(path: Path) -> None:
    path.write_text(f"<<<<<<< HEAD\n{VALID}=======\napps: {{}}\n>>>>>>> theirs\n")


BROKEN = [
    _not_utf8, _utf16, _empty, _gone, _a_folder, _a_pipe, _a_link_to_nowhere, _a_link_to_itself, _a_device, _too_large,
    _a_merge_conflict,
]  # fmt: skip


@pytest.mark.parametrize("breaks", BROKEN)
def test_whatever_becomes_of_the_file_the_configuration_in_use_stays_and_is_used_by_the_next_start(
    breaks: object, tmp_path: Path
) -> None:
    file = _in_use(tmp_path)
    before: Loaded = file.in_use

    breaks(file.path)  # type: ignore[operator]

    with pytest.raises(ConfigError) as refused:
        file.read()
    assert refused.value.cause.startswith("c.yaml:")
    assert file.in_use is before
    again = ConfigFile(file.path, tmp_path / "kept.yaml")
    read = again.read_at_start()
    assert read is not None
    assert list(read.loaded.config.apps) == ["shop"]
    assert again.problem == refused.value.cause
    assert again.problem_since is not None


def test_a_kept_configuration_that_this_version_refuses_is_not_an_error_of_the_start(tmp_path: Path) -> None:
    file = _in_use(tmp_path)
    (tmp_path / "kept.yaml").write_text("a_key_of_another_version: 1\n")
    _not_utf8(file.path)

    again = ConfigFile(file.path, tmp_path / "kept.yaml")

    assert again.read_at_start() is None
    assert not again.is_known
    assert "not UTF-8" in again.problem


def test_a_full_disk_keeps_no_valid_configuration_from_being_used(tmp_path: Path) -> None:
    file = _in_use(tmp_path)
    (tmp_path / "kept.yaml").unlink()
    (tmp_path / "kept.yaml.new").mkdir()  # what is written to is not a file: writing fails

    file.accept(file.read())

    assert file.problem == ""
    assert "cannot be written" in file.not_kept


async def test_a_configuration_that_could_not_be_kept_is_kept_as_soon_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was kept at the next change of the file, and until then a start with an invalid file used an older one."""
    monkeypatch.setattr(watcher, "LOOK_EVERY_MS", 50)
    file, kept = _in_use(tmp_path), tmp_path / "kept.yaml"
    kept.unlink()
    (tmp_path / "kept.yaml.new").mkdir()
    file.accept(file.read())
    assert file.not_kept

    looking = asyncio.ensure_future(anext(file.changes()))
    try:
        (tmp_path / "kept.yaml.new").rmdir()
        async with asyncio.timeout(20):
            while file.not_kept:  # noqa: ASYNC110 (what is on the disk has no event)
                await asyncio.sleep(0.01)
    finally:
        looking.cancel()

    assert kept.read_text() == file.path.read_text()


def test_a_file_of_comments_alone_is_not_lost_when_it_vanishes_for_a_moment(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "c.yaml", tmp_path / "kept.yaml")
    file.path.write_text("# mine\n")
    read = file.read_at_start()
    assert read is not None
    file.accept(read)

    file.path.unlink()

    with pytest.raises(ConfigError, match="does not exist any more"):
        file.read()
    assert (tmp_path / "kept.yaml").read_text() == "# mine\n"


def test_where_there_never_was_a_file_none_is_needed(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "c.yaml", tmp_path / "kept.yaml")
    read = file.read_at_start()
    assert read is not None
    file.accept(read)

    assert file.read().text == ""
    assert file.problem == ""
