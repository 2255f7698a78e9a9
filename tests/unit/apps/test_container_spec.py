"""The specification of an app's container."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.apps.container_spec import container_spec
from orchestrator.clock import now
from orchestrator.config.app_schema import App
from orchestrator.config.env_file import EnvFileUnreadable
from orchestrator.config.run_schema import Run
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.release import Release
from orchestrator.engine.base import ContainerSpec, Role
from tests.support.fakes import stories
from tests.support.fakes.world import APP, World


def spec(folder: Path, run: Run, role: Role = Role.APP) -> ContainerSpec:
    config: App = stories.app().model_copy(update={"run": run})
    release = Release("v1", "0" * 40, "sha256:1")
    deployment = Deployment("d1", APP, Kind.DEPLOY, State.RUNNING, "test", now(), release=release)
    return container_spec(World(folder, config).context, deployment, role, "c", None)


def test_limits_and_the_environment_file_of_the_configuration_are_in_the_specification(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "shop.env").write_text("KEY=value\n")
    (tmp_path / "secrets").symlink_to("real")

    made = spec(tmp_path, Run(env_file="secrets/shop.env", pids=99, read_only=True, memory="64m"))

    assert made.env["KEY"] == "value"
    assert (made.pids, made.read_only, made.memory) == (99, True, "64m")


@pytest.mark.parametrize("named", ["secrets/shop.env", "../outside/shop.env", "/etc/hostname", "linked.env"])
def test_an_environment_file_elsewhere_is_not_read(tmp_path: Path, named: str) -> None:
    """A repository that is the configuration's folder can have links, as anything that is committed."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "shop.env").write_text("KEY=of somebody else\n")
    (home / "secrets").symlink_to(outside)
    (home / "linked.env").symlink_to("../outside/shop.env")

    with pytest.raises(EnvFileUnreadable, match="is not read"):
        spec(home, Run(env_file=named))


def test_an_environment_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvFileUnreadable, match=r"missing\.env cannot be read"):
        spec(tmp_path, Run(env_file="missing.env"))


def test_a_command_of_the_app_has_an_init_and_the_app_is_started_as_its_image_says(tmp_path: Path) -> None:
    assert spec(tmp_path, Run(), Role.SIDECAR).init
    assert not spec(tmp_path, Run()).init
