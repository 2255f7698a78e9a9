"""An app that a restore or a rollback has stopped is not shown as one that has broken down."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from tests.unit.api.conftest import Api

LIVE = Deployment(
    "d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), live_at=now(), ended_at=now(), colour=Colour.BLUE,
    release=Release("v1", "r1", "sha256:1"), container="shop-blue", address="127.0.0.1", port=9,
)  # fmt: skip
RESTORE = replace(LIVE, id="r1", kind=Kind.RESTORE, state=State.RUNNING, ref="b1", live_at=None, ended_at=None)


async def troubles(api: Api, work: Deployment | None) -> list[Any]:  # JSON
    """Those of shop, whose container is stopped, while this is under way."""
    orchestrator = api.orchestrator
    orchestrator.journal.add(LIVE)
    orchestrator.journal.save_switch("shop", Slots("d1", ""))
    if work:
        orchestrator.journal.add(work)
        orchestrator.scheduler._lane("shop").running = work
    board = asyncio.create_task(orchestrator.health.keep_current())
    try:
        orchestrator.health.due("shop")
        found: Any = await api.json("GET", "/v1/apps/shop", api.token(Scope.READ))
    finally:
        board.cancel()
        with suppress(asyncio.CancelledError):
            await board
    assert found["health"] == "stopped"
    return list(found["troubles"])


@pytest.mark.parametrize("kind", Kind)
async def test_what_has_stopped_it_is_named_instead_of_a_rollback(api: Api, kind: Kind) -> None:
    (trouble,) = await troubles(api, replace(RESTORE, kind=kind, paused_at=now()))
    assert trouble["says"].startswith("It is stopped, and new requests wait, while ")
    assert trouble["remedy"] == "Wait until that has ended: changeover show r1"
    assert trouble["warns"]


@pytest.mark.parametrize(
    "work", [None, RESTORE, replace(RESTORE, paused_at=now(), resumed_at=now())], ids=["idle", "not yet", "no more"]
)
async def test_one_that_has_stopped_otherwise_has_broken_down(api: Api, work: Deployment | None) -> None:
    (trouble,) = await troubles(api, work)
    assert trouble["says"].startswith("Its active release does not serve: ")
    assert not trouble["warns"]
