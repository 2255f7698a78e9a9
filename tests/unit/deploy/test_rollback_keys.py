"""What the keys of `update.rollback` do when a step has failed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.config.schema import UpdatePolicy
from orchestrator.errors import StepFailed
from orchestrator.events import EventStream
from orchestrator.journal import Journal, now
from orchestrator.model import Deployment, Failure, Kind, State, StepName
from orchestrator.pipeline import Step, undo
from orchestrator.site import Site


@pytest.mark.parametrize("attempts", [1, 2])
async def test_an_undo_that_fails_is_tried_as_often_as_configured(tmp_path: Path, attempts: int) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    deployment = Deployment("1", "shop", Kind.DEPLOY, State.RUNNING, "me", now())
    journal.add(deployment)
    journal.step_started("1", StepName.START)
    tried: list[str] = []

    async def start(_site: Site, started: Deployment) -> Deployment:
        return started

    async def cannot_be_undone(_site: Site, started: Deployment) -> str:
        tried.append(started.id)
        raise StepFailed("The container is stuck.")

    policy = UpdatePolicy.model_validate({"rollback": {"max_rollback_attempts": attempts}})
    site = SimpleNamespace(name="shop", app=SimpleNamespace(update=policy), journal=journal, say=lambda *_: None)
    steps = (Step(StepName.START, start, undo=cannot_be_undone),)

    await undo(
        cast(Site, site), EventStream(journal), deployment, State.FAILED, Failure(StepName.START, "It failed."), steps
    )

    assert len(tried) == attempts
