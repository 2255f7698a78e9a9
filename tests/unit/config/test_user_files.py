"""The user's configuration file and secrets are made once, from what is known, and never replaced."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.config import loader
from orchestrator.config.user_files import make_missing
from tests.support.paths import ROOT

EXAMPLE, OWN, KEPT = "# the example\n", "# my own\n", "# in use last\n"


@pytest.mark.parametrize(
    ("own", "kept", "then"),
    [
        (None, None, EXAMPLE),
        (None, "", EXAMPLE),
        (None, KEPT, KEPT),
        (OWN, KEPT, OWN),
        ("", KEPT, ""),
        (OWN, None, OWN),
    ],
)
def test_the_file_is_made_from_the_kept_one_or_the_example_only_if_it_does_not_exist(
    own: str | None, kept: str | None, then: str, tmp_path: Path
) -> None:
    config, last = tmp_path / "control-panel-config.yaml", tmp_path / "last-valid-config.yaml"
    (tmp_path / "control-panel-config.example.yaml").write_text(EXAMPLE)
    if own is not None:
        config.write_text(own)
    if kept is not None:
        last.write_text(kept)

    make_missing(config, last)

    assert config.read_text() == then
    if own is None:
        assert config.stat().st_mode & 0o777 == (0o600 if then == KEPT else 0o644)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_nothing_is_made_where_there_is_no_example(tmp_path: Path) -> None:
    make_missing(tmp_path / "control-panel-config.yaml", tmp_path / "last-valid-config.yaml")

    assert list(tmp_path.iterdir()) == []


def test_the_checkout_tracks_an_example_that_is_valid_and_ignores_the_users_own_files() -> None:
    tracked = _git("ls-files").splitlines()
    own = ("control-panel-config.yaml", "control-panel-config.yaml.previous", "secrets/shop.env", ".env")

    assert "control-panel-config.example.yaml" in tracked
    assert not set(own) & set(tracked)
    assert _git("check-ignore", *own).splitlines() == list(own)
    assert loader.load(ROOT / "control-panel-config.example.yaml").config.apps == {}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True).stdout
