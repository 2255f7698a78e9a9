"""/readyz names what keeps the orchestrator from being ready."""

from __future__ import annotations

import asyncio

from orchestrator.supervision import KEEPS_FAILING, Problem
from tests.unit.api.conftest import Api


def said(api: Api) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        async with api.request("GET", "/readyz") as answer:
            return answer.status, await answer.text()

    return asyncio.run(ask())


def test_a_task_that_keeps_failing_is_named_without_its_cause(api: Api) -> None:
    assert said(api) == (200, "ready\n")

    api.orchestrator.supervisor.problems["update checks of shop"] = Problem("a secret of the app", KEEPS_FAILING)
    api.orchestrator.supervisor.problems["health probes"] = Problem("once", KEEPS_FAILING - 1)

    assert said(api) == (503, "background tasks keep failing: 'update checks of shop'\n")
