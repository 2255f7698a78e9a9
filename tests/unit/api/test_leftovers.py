"""What an app has left is removed only while it is not configured."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrator.access.caller import Caller
from orchestrator.api import leftovers
from orchestrator.clock import now
from orchestrator.deploy.leftovers import GONE
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepState
from orchestrator.domain.events import EventKind
from orchestrator.errors import Refused
from orchestrator.server import Orchestrator
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

BLOG = "  blog:\n    update: {git: {remote: /srv/blog}}\n    route: {host: blog.test}\n"
ADMIN = Caller("admin", Scope.ADMIN, None, "127.0.0.1")


async def test_an_app_that_is_configured_again_while_its_removal_waits_keeps_what_it_has(
    orchestrator: Orchestrator,
) -> None:
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.named_volumes.add("test-blog-data")
    orchestrator.ready = True

    async with orchestrator.scheduler.turn_of("blog"):
        removing = asyncio.create_task(leftovers.remove("blog", orchestrator, ADMIN))
        await asyncio.sleep(0.05)
        orchestrator.settings.config.write_text(SHOP + BLOG)
        await orchestrator.reload_config()
    with pytest.raises(Refused, match="blog is configured"):
        await removing

    assert "test-blog-data" in engine.named_volumes
    await orchestrator.stop()


async def test_what_was_interrupted_of_an_app_that_is_removed_has_an_end(orchestrator: Orchestrator) -> None:
    """It was shown as running for ever."""
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.named_volumes.add("test-blog-data")
    orchestrator.ready = True
    journal = orchestrator.journal
    journal.add(Deployment("d1", "blog", Kind.DEPLOY, State.LIVE, "me", now(), live_at=now()))
    journal.add(Deployment("d2", "blog", Kind.DEPLOY, State.RUNNING, "me", now()))
    journal.step_started("d2", StepName.BUILD)
    journal.add(Deployment("d3", "blog", Kind.DEPLOY, State.QUEUED, "me", now()))

    await leftovers.remove("blog", orchestrator, ADMIN)

    assert journal.unfinished() == []
    assert [journal.deployment(one).state for one in ("d1", "d2", "d3")] == [State.LIVE, State.FAILED, State.FAILED]
    failure = journal.deployment("d2").failure
    assert failure is not None
    assert (failure.step, failure.cause) == (StepName.BUILD, GONE)
    assert journal.deployment("d2").steps[0].state is StepState.FAILED
    told = [(one.deployment, one.kind) for one in reversed(journal.events())]
    ends = {"d1": [EventKind.ENDED], "d2": [EventKind.FAILED, EventKind.STEP], "d3": [EventKind.FAILED]}
    assert {name: [kind for of, kind in told if of == name] for name in ends} == ends
    await orchestrator.stop()


@pytest.mark.parametrize("last", [State.LIVE, State.FAILED])
async def test_the_last_release_of_a_removed_app_was_removed_and_those_before_it_replaced(
    api: Api, last: State
) -> None:
    orchestrator, journal = api.orchestrator, api.orchestrator.journal
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.named_volumes.add("test-blog-data")
    for one, state in (("d1", State.LIVE), ("d2", State.LIVE), ("d3", last)):
        journal.add(Deployment(one, "blog", Kind.DEPLOY, state, "me", now(), live_at=now(), ended_at=now()))
    active, standby = ("d3", "d2") if last is State.LIVE else ("d2", "d1")
    journal.save_switch("blog", Slots(active, standby))

    before = await slots_in_history(api)
    await leftovers.remove("blog", orchestrator, ADMIN)
    after = await slots_in_history(api)

    assert before == {"d1": "", "d2": "", "d3": ""} | {standby: "standby", active: "active"}
    assert after == {"d1": "", "d2": "", "d3": ""} | {active: "removed"}


async def slots_in_history(api: Api) -> dict[str, str]:
    page: Any = await api.json("GET", "/v1/apps/blog/deployments", api.token(Scope.READ))
    return {one["id"]: one["slot"] for one in page["deployments"]}
