"""A defect that concerns one app keeps no other app from being shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator.apps.context import AppContext
from orchestrator.doctor import problems
from orchestrator.domain.access import Scope
from orchestrator.errors import JournalError, UnknownDeployment
from tests.unit.api.conftest import Api


def failing_for(app: str, error: Exception, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def ask(*arguments: Any) -> Any:
        if app in arguments:
            raise error
        return otherwise(*arguments)

    return ask


PARTS = ["known", "waits", "held_back", "unsettled", "busy_with", "of_app", "active", "standby", "crashed_standbys"]


def break_part(api: Api, part: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    orchestrator = api.orchestrator
    if part in ("active", "standby"):
        before = getattr(AppContext, part)

        def slot(context: AppContext) -> Any:
            if context.name == "shop":
                raise error
            return before.fget(context)

        monkeypatch.setattr(AppContext, part, property(slot))
        return
    if part == "crashed_standbys":
        of_standby = orchestrator.crashed_standbys.of

        async def crash(context: AppContext) -> Any:
            if context.name == "shop":
                raise error
            return await of_standby(context)

        monkeypatch.setattr(orchestrator.crashed_standbys, "of", crash)
        return
    owner = {"unsettled": orchestrator.journal, "busy_with": orchestrator.scheduler, "of_app": problems}
    of = owner.get(part, orchestrator.checker)
    monkeypatch.setattr(of, part, failing_for("shop", error, getattr(of, part)))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("error", [ValueError("min() arg is an empty sequence"), UnknownDeployment("None is known.")])
async def test_a_defect_of_one_app_is_shown_at_that_app_and_the_others_are_listed(
    api: Api, part: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_part(api, part, error, monkeypatch)
    token = api.token(Scope.READ)

    with capture_logs() as logged:
        found = await api.json("GET", "/v1/apps", token)
        alone = await api.json("GET", "/v1/apps/shop", token)

    listed: Any = found["apps"]  # JSON
    panel, shop = listed
    assert "defect in Changeover" not in str(panel)
    assert [one["says"] for one in shop["troubles"] if "defect in Changeover" in one["says"]]
    assert alone == shop
    assert {one["app"] for one in logged if one.get("exc_info")} == {"shop"}


async def test_a_journal_that_is_away_is_no_defect_of_an_app(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    break_part(api, "known", JournalError("The journal cannot be read."), monkeypatch)

    assert await api.status("GET", "/v1/apps", api.token(Scope.READ)) == 503
