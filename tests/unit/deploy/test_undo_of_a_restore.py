"""When the undo of a restore has to put data back: whenever it may be another one than before, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.clock import now
from orchestrator.config.app_schema import App
from orchestrator.deploy.steps.restore import _may_have_replaced
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World

OWN_COMMAND = {"backup": {"dump": "dump", "restore": "load"}}


@pytest.mark.parametrize(
    ("outcomes", "more", "is_gone", "may_have"),
    [
        ((), {}, False, False),
        ((Outcome.FAILED,), {}, False, False),
        ((Outcome.FAILED, Outcome.FAILED), {}, False, False),
        ((Outcome.DONE,), {}, False, True),
        ((Outcome.FAILED, Outcome.DONE), {}, False, True),
        ((Outcome.DONE, Outcome.FAILED), {}, False, True),
        ((Outcome.RUNNING,), {}, False, True),
        ((Outcome.FAILED,), OWN_COMMAND, False, True),
        ((), OWN_COMMAND, False, False),
        ((Outcome.FAILED,), {}, True, True),
        ((), {}, True, False),
    ],
)
async def test_data_is_put_back_unless_it_is_certain_that_it_is_as_before(
    tmp_path: Path, outcomes: tuple[Outcome, ...], more: dict[str, object], is_gone: bool, may_have: bool
) -> None:
    world = World(tmp_path, App.model_validate(app().model_dump(exclude_unset=True) | more))
    if not is_gone:
        await live(world, "0001")
    restores = [
        MigrationRun(number, APP, "d1", Direction.RESTORED, (), outcome, now())
        for number, outcome in enumerate(outcomes)
    ]

    assert await _may_have_replaced(world.context, restores) is may_have
