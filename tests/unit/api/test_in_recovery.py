"""An app that is being recovered is not shown as one whose recovery has failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.doctor.checks import examine
from orchestrator.doctor.report import Finding
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.recovery.progress import Progress
from tests.unit.api.conftest import Api

LIVE = Deployment(
    "d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), live_at=now(), ended_at=now(), colour=Colour.BLUE,
    release=Release("v1", "r1", "sha256:1"), container="shop-blue", address="127.0.0.1", port=9,
)  # fmt: skip


@pytest.fixture
async def progress(api: Api) -> AsyncIterator[Progress]:
    """That of shop, whose recovery goes on as long as the test."""
    api.orchestrator.journal.add(LIVE)
    api.orchestrator.journal.save_switch("shop", Slots("d1", ""))
    found = api.orchestrator.recovery._of("shop")
    found.task = asyncio.create_task(asyncio.Event().wait(), name="recovery of shop")  # type: ignore[arg-type]
    yield found
    found.task.cancel()


async def shown(api: Api) -> tuple[list[tuple[str, bool]], Finding]:
    """The troubles of shop in the status, each with whether it warns; and what doctor finds."""
    found: Any = await api.json("GET", "/v1/apps/shop", api.token(Scope.READ))  # JSON
    troubles = [(one["says"], one["warns"]) for one in found["troubles"]]
    return troubles, next(one for one in await examine(api.orchestrator) if one.what == "app shop")


async def test_what_a_stop_has_interrupted_is_told_while_it_is_undone(api: Api, progress: Progress) -> None:
    says = "What a stop of the orchestrator has interrupted is being finished or undone."
    troubles, finding = await shown(api)
    assert (says, True) in troubles
    assert (finding.says, finding.warns, finding.well) == (says, True, True)
    assert "Correct" not in finding.remedy


async def test_a_release_that_is_being_started_is_not_ready_yet(api: Api, progress: Progress) -> None:
    progress.finished = True
    says = "Its active release is being started, and is not ready yet."
    troubles, finding = await shown(api)
    assert (says, False) in troubles
    assert (finding.says, finding.well) == (says, False)


async def test_a_recovery_that_has_failed_names_its_cause(api: Api, progress: Progress) -> None:
    progress.problem = "The engine does not answer."
    troubles, finding = await shown(api)
    assert ("It is not recovered: The engine does not answer.", False) in troubles
    assert finding.says == "recovery failed: The engine does not answer."
