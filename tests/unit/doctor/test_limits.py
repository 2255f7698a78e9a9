"""An app without a memory limit is warned about; one with a limit, and the panel, are not."""

from __future__ import annotations

from pathlib import Path

from orchestrator.config.run_schema import Run
from orchestrator.config.schema import PANEL, Config
from orchestrator.doctor.checks import missing_limits
from tests.support.fakes import stories
from tests.support.fakes.world import World


def test_an_app_without_a_memory_limit_is_warned_about(tmp_path: Path) -> None:
    config = stories.app()
    limited = config.model_copy(update={"run": Run(memory="512m")})

    (found,) = missing_limits(World(tmp_path, config).context)

    assert (found.well, found.warns) == (True, True)
    assert "run.memory" in found.remedy
    assert missing_limits(World(tmp_path, limited).context) == []


def test_the_panel_is_limited() -> None:
    panel = Config().all_apps()[PANEL].run

    assert (panel.memory, panel.pids, panel.read_only) == ("2g", 1024, True)
