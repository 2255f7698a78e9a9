"""The template's first picture, which nobody sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from panel.web.session_app import warm_up
from tests.support.fakes.api import FakeApi


async def test_it_asks_the_orchestrator_for_nothing(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token, each request was refused, and stood in the audit log as those of an intruder would."""
    monkeypatch.setenv("PANEL_DATABASE_URL", f"sqlite:///{tmp_path / 'panel.db'}")
    monkeypatch.setenv("CHANGEOVER_URL", api.url)

    await warm_up()

    assert api.asked == []
