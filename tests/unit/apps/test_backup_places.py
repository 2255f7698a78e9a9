"""The places of backups are known after a restart, also if there was no room for them at first."""

from __future__ import annotations

from pathlib import Path

from orchestrator.apps.backup_places import BackupPlaces


def test_a_place_that_could_not_be_written_is_written_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "places.json"
    (tmp_path / "places.json.new").mkdir()  # what is written to is not a file: writing fails
    places = BackupPlaces(file)
    places.remember("shop", "/srv/backups")
    assert not file.exists()

    (tmp_path / "places.json.new").rmdir()
    places.remember("shop", "/srv/backups")

    assert BackupPlaces(file).of("shop") == ("/srv/backups",)


def test_what_could_not_be_forgotten_is_forgotten_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "places.json"
    places = BackupPlaces(file)
    places.remember("shop", "/srv/backups")
    (tmp_path / "places.json.new").mkdir()
    places.forget("shop")

    (tmp_path / "places.json.new").rmdir()
    places.forget("shop")

    assert BackupPlaces(file).of("shop") == ()
