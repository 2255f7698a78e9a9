"""History and events are read page by page: each once, with a limit, and with the cursor of the next page."""

from __future__ import annotations

from typing import Any

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import EventKind, NewEvent
from tests.unit.api.conftest import Api

MADE = 23


async def pages(api: Api, path: str, cursor: str) -> list[Any]:  # Any: JSON
    """All pages, of ten at most."""
    secret, query, found = api.token(Scope.READ), "limit=10", []
    for _ in range(MADE):
        page = await api.json("GET", f"{path}?{query}", secret)
        found.append(next(value for value in page.values() if isinstance(value, list)))
        if page[cursor] is None:
            return found
        query = f"limit=10&{cursor}={page[cursor]}"
    raise AssertionError("the pages do not end")


async def test_history_comes_in_pages_the_newest_first(api: Api) -> None:
    for number in range(MADE):
        api.orchestrator.journal.add(Deployment(f"d{number}", "shop", Kind.DEPLOY, State.FAILED, "ci", now()))

    found = await pages(api, "/v1/apps/shop/deployments", "before")

    assert [len(page) for page in found] == [10, 10, 3]
    assert [one["id"] for page in found for one in page] == [f"d{number}" for number in reversed(range(MADE))]


async def test_the_events_of_a_deployment_come_in_pages_the_oldest_first(api: Api) -> None:
    api.orchestrator.journal.add(Deployment("d1", "shop", Kind.DEPLOY, State.FAILED, "ci", now()))
    lines = [NewEvent(EventKind.LINE, "shop", "d1", {"line": str(number)}) for number in range(MADE)]
    api.orchestrator.journal.append_events(lines)

    found = await pages(api, "/v1/deployments/d1/events", "after")

    assert [len(page) for page in found] == [10, 10, 3]
    assert [one["fields"]["line"] for page in found for one in page] == [str(number) for number in range(MADE)]


async def test_a_page_has_a_limit_whatever_is_asked_for(api: Api) -> None:
    reader = api.token(Scope.READ)

    for path in ("/v1/apps/shop/deployments", "/v1/deployments/d1/events", "/v1/events"):
        assert await api.status("GET", f"{path}?limit=1000000&recent=1000000", reader) == 422, path
