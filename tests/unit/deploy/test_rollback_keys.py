"""What the keys of `update.rollback` do when a step has failed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.deploy.compensation import compensate
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Failure, Kind, State, StepName
from orchestrator.errors import StepFailed
from orchestrator.events.stream import EventStream
from tests.support.fakes.journal import UnreliableJournal


class CannotBeUndone(Step):
    """A step whose undo always fails, and counts how often it was tried."""

    name = StepName.START

    def __init__(self) -> None:
        self.tried = 0

    def describe(self, context: AppContext) -> str:
        return f"Start {context.name}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        self.tried += 1
        raise StepFailed("The container is stuck.")


@pytest.mark.parametrize("attempts", [1, 2])
async def test_an_undo_that_fails_is_tried_as_often_as_configured(journal: UnreliableJournal, attempts: int) -> None:
    deployment = Deployment("1", "shop", Kind.DEPLOY, State.RUNNING, "me", now())
    journal.add(deployment)
    journal.step_started("1", StepName.START)
    step = CannotBeUndone()
    policy = UpdatePolicy.model_validate({"rollback": {"max_rollback_attempts": attempts}})
    config = SimpleNamespace(update=policy)
    context = cast(
        AppContext, SimpleNamespace(name="shop", config=config, journal=journal, active=None, say=lambda *_: None)
    )
    failure = Failure(StepName.START, "It failed.")

    await compensate(context, EventStream(journal), deployment, State.FAILED, failure, (step,))

    assert step.tried == attempts
