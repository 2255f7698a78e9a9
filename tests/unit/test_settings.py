"""Where the orchestrator finds its surroundings."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CHANGEOVER_{name.upper()}", raising=False)


def test_nothing_needs_to_be_set() -> None:
    assert Settings().journal_url == "sqlite:////var/lib/changeover/journal.db"


def test_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_STACK", "second")
    monkeypatch.setenv("CHANGEOVER_DEPLOY_PANEL", "false")
    monkeypatch.setenv("CHANGEOVER_API_PORT", "9090")

    settings = Settings()

    assert (settings.stack, settings.deploy_panel, settings.api_port) == ("second", False, 9090)


def test_the_journal_is_in_the_database_that_is_named_and_else_in_the_state_folder() -> None:
    assert Settings(database_url="postgresql://me@server/journal").journal_url == "postgresql://me@server/journal"
    assert Settings(state=Path("/srv/state")).journal_url == "sqlite:////srv/state/journal.db"


def test_the_panel_is_told_of_its_own_database_only_where_there_is_one() -> None:
    alone = Settings(api_url="http://api:1")
    with_server = Settings(api_url="http://api:1", panel_database_url="postgresql://me@server/panel")

    assert alone.panel_environment == {"CHANGEOVER_URL": "http://api:1"}
    assert with_server.panel_environment == {
        "CHANGEOVER_URL": "http://api:1",
        "PANEL_DATABASE_URL": "postgresql://me@server/panel",
    }


@pytest.mark.parametrize(
    ("location", "mounted"),
    [(None, "changeover-backups"), ("/srv/backups", "/srv/backups"), ("~/backups", "/home/me/backups")],
)
def test_backups_lie_in_the_volume_or_where_the_configuration_says(location: str | None, mounted: str) -> None:
    assert Settings(home="/home/me").backups_at(location) == mounted
