"""`python -m migrations` with an address that no database can have."""

from __future__ import annotations

import sys

import pytest

from migrations.__main__ import main


@pytest.mark.parametrize(
    "url",
    ["postgres//u:hunter2hunter2@h/db", "postgresql://u:hunter2hunter2@h:port/db", "mysql://u:hunter2hunter2@h/db"],
)
@pytest.mark.parametrize("home", ["panel", "orchestrator"])
def test_it_is_told_without_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str, url: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["migrations", home, "status"])
    monkeypatch.setenv("PANEL_DATABASE_URL", url)
    monkeypatch.setenv("CHANGEOVER_DATABASE_URL", url)

    assert main() == 2

    said = capsys.readouterr().err
    assert "_DATABASE_URL is not the address of a database" in said
    assert "hunter2" not in said
