"""A world on fakes for the tests of scheduler and pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from tests.support.fakes.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An app with data and migrations that go both ways; nothing is published yet."""
    config = {
        "route": {"host": "shop.test"},
        "run": {"data": "/data"},
        "migrate": {"command": "up", "status": "status", "down": "down {revision}"},
        "health": {"answers": 1, "timeout": 0.05},
        "drain": {"timeout": 0.2},
        "update": {"rollback": {"max_rollback_attempts": 1}},
    }
    return World(tmp_path, App.model_validate(config))
