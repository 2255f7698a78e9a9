"""`status`, `doctor` and what is advised, where the goal of a rollback is a release that crashed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.doctor.checks import examine
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.domain.standby_events import StandbyCrashed
from orchestrator.engine.base import ContainerEvent, Role
from tests.unit.api.conftest import Api

CRASHED = "v1 crashed when it was live: its container ended 3 times in ten minutes."
ROLLED_BACK = "A rollback has taken the traffic from v1 before."


@pytest.fixture
def left() -> Deployment:
    """The standby of shop."""
    return Deployment(
        "d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), live_at=now(), ended_at=now(), colour=Colour.BLUE,
        release=Release("v1", "r1", "sha256:1"), container="shop-blue", address="127.0.0.1", port=9,
    )  # fmt: skip


def deployed(api: Api, left: Deployment) -> None:
    journal = api.orchestrator.journal
    journal.add(left)
    live = replace(left, id="d2", state=State.LIVE, colour=Colour.GREEN, container="shop-green")
    journal.add(replace(live, release=Release("v2", "r2", "sha256:2"), previous="d1"))
    journal.save_switch("shop", Slots("d2", "d1"))


async def status(api: Api) -> Any:  # JSON
    return await api.json("GET", "/v1/apps/shop", api.token(Scope.READ))


async def test_status_and_doctor_warn_of_a_rollback_to_what_crashed(api: Api, left: Deployment) -> None:
    deployed(api, left)
    assert (await status(api))["standby"]["warning"] == ""
    cause = "its container ended 3 times in ten minutes"
    await api.orchestrator.events.publish(StandbyCrashed("v1", cause, "d2"), "shop", "d1")

    found = await status(api)

    assert found["standby"]["warning"] == CRASHED
    (trouble,) = [one for one in found["troubles"] if CRASHED in one["says"]]
    assert trouble["warns"]
    assert "changeover versions shop" in trouble["remedy"]
    (finding,) = [one for one in await examine(api.orchestrator) if one.says == CRASHED.rstrip(".")]
    assert (finding.what, finding.well, finding.warns) == ("standby of shop", True, True)


@pytest.mark.parametrize("crashed", [True, False])
async def test_nobody_is_advised_to_return_to_what_crashed(api: Api, left: Deployment, crashed: bool) -> None:
    deployed(api, left)
    for _ in range(2):
        api.orchestrator.crashes.heard(ContainerEvent("die", "shop", Role.APP, "shop-green", 1))
    if crashed:
        await api.orchestrator.events.publish(StandbyCrashed("v1", "its container ended", "d2"), "shop", "d1")

    (trouble,) = [one for one in (await status(api))["troubles"] if one["says"].startswith("The active container")]

    assert ("changeover rollback shop" in trouble["remedy"]) is not crashed


async def test_that_a_release_was_rolled_back_is_told_before_a_rollback_to_it_and_is_no_trouble(
    api: Api, left: Deployment
) -> None:
    deployed(api, replace(left, state=State.ROLLED_BACK))

    found = await status(api)

    assert found["standby"]["warning"] == ROLLED_BACK
    assert not any(ROLLED_BACK in one["says"] for one in found["troubles"])
