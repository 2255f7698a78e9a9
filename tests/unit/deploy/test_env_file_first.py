"""An environment file that cannot be used is told before anything is fetched, built, backed up or replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.config.env_file import MOST_BYTES, EnvFileUnreadable
from orchestrator.domain.deployment import Kind, State, StepName
from tests.support import virtual_time
from tests.support.fakes.world import APP, World

NAME = "shop.env"
UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(missing_ok=True), "cannot be read: No such file or directory."),
    "a folder": (lambda path: path.mkdir(), "cannot be read: "),
    "too large": (lambda path: path.write_bytes(b"#" * (MOST_BYTES + 1)), "is larger than 1024 kB."),
    "no text": (lambda path: path.write_bytes(b"A=\xff"), "cannot be read: it is not UTF-8 text."),
    "no variable": (lambda path: path.write_text("A=1\nnonsense here\n"), "is not NAME=value."),
    "a null byte": (lambda path: path.write_bytes(b"A=\0"), "contains a null byte."),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "cannot be read: No such file or directory."),
}


def with_env_file(world: World) -> Path:
    world.configure(run={"data": "/data", "env_file": NAME})
    return world.folder / NAME


@pytest.mark.parametrize("which", UNUSABLE)
def test_a_deployment_with_an_environment_file_that_cannot_be_used_fails_at_prepare(world: World, which: str) -> None:
    make, says = UNUSABLE[which]
    path = with_env_file(world)
    make(path)

    async def story() -> None:
        world.publish()
        failed = await world.deploy()
        assert failed.state is State.FAILED
        assert [one.name for one in failed.steps] == [StepName.PREPARE]
        assert failed.failure is not None
        assert (failed.failure.step, failed.failure.outside) == (StepName.PREPARE, True)
        assert NAME in failed.failure.cause
        assert says in failed.failure.cause
        assert not world.engine.tags
        assert world.source.asked == 0
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        path.write_text("A=1\n")
        assert (await world.deploy()).state is State.LIVE

    virtual_time.run(story())


def test_a_restore_that_brings_a_release_is_refused_before_the_data_is_replaced(world: World) -> None:
    path = with_env_file(world)
    path.write_text("A=1\n")

    async def story() -> None:
        for _ in range(2):
            world.publish()
            newest = await world.deploy()
        assert newest.backup
        path.unlink()
        before = [one.id for one in world.journal.deployments(APP)]
        with pytest.raises(EnvFileUnreadable, match=NAME):
            await world.scheduler.restore(APP, newest.backup, "test", Kind.RESTORE, release=True)
        assert [one.id for one in world.journal.deployments(APP)] == before

    virtual_time.run(story())
