"""Whoever follows a failed deployment sees each undo as it runs: when it begins, how it ends, and how long it took."""

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
from orchestrator.domain.events import EventKind
from orchestrator.errors import StepFailed
from orchestrator.events.stream import EventStream
from tests.support.fakes.journal import UnreliableJournal


class Done(Step):
    """A step whose undo says `says`, or fails if it says nothing."""

    def __init__(self, name: StepName, says: str) -> None:
        self.name = name
        self._says = says

    def describe(self, context: AppContext) -> str:
        return f"{self.name} of {context.name}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        if not self._says:
            raise StepFailed("The container is stuck.")
        return self._says


@pytest.mark.parametrize("says", ["Removed the candidate shop-green", ""])
async def test_each_undo_is_told_when_it_begins_and_when_it_ends(journal: UnreliableJournal, says: str) -> None:
    deployment = Deployment("1", "shop", Kind.DEPLOY, State.RUNNING, "me", now())
    journal.add(deployment)
    for name in (StepName.FETCH, StepName.START):
        journal.step_started("1", name)
    policy = UpdatePolicy.model_validate({"rollback": {"max_rollback_attempts": 1}})
    config = SimpleNamespace(update=policy)
    context = cast(
        AppContext, SimpleNamespace(name="shop", config=config, journal=journal, active=None, say=lambda *_: None)
    )
    steps = (Done(StepName.FETCH, "Removed the source"), Done(StepName.START, says))

    await compensate(context, EventStream(journal), deployment, State.FAILED, Failure(StepName.START, "No."), steps)

    events = journal.events(deployment_id="1")
    told = [(one.fields["step"], one.fields["state"], one.fields["says"]) for one in events if one.kind == "undo"]
    failed = "Could not undo start (attempt 1 of 1): The container is stuck."
    assert told == [
        ("start", "running", ""),
        ("start", "done" if says else "failed", says or failed),
        ("fetch", "running", ""),
        ("fetch", "done", "Removed the source"),
    ]
    assert events[-1].kind == EventKind.FAILED
    assert all(one.app == "shop" for one in events if one.kind == "undo")
