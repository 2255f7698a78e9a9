"""An answer that is long is written in a thread: nobody else waits for it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from fastapi import FastAPI

from border.secrets import Secrets
from orchestrator.api.answer import LARGE, answer_class, is_large
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.release import Change
from tests.support.asgi import Request
from tests.unit.api.conftest import Api


class Noting(Secrets):
    """Knows in which threads secrets were taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = set[int]()

    def values(self, value: Any) -> Any:  # Any: JSON
        self.threads.add(threading.get_ident())
        return super().values(value)


@pytest.mark.parametrize(
    ("content", "large"),
    [
        ({}, False),
        (None, False),
        (["short"] * 100, False),
        ("a" * LARGE, True),
        ([0] * LARGE, True),
        ({str(number): None for number in range(LARGE)}, True),
        ([[["a" * 100]] * 100] * 10, True),
    ],
)
def test_what_is_large(content: object, large: bool) -> None:
    assert is_large(content) is large


@pytest.mark.parametrize("lines", [10, 10_000])
async def test_secrets_are_taken_out_of_a_large_answer_beside_the_event_loop(lines: int) -> None:
    known = Noting()
    known.know(["a-long-password"])
    api = FastAPI(default_response_class=answer_class(lambda: known))

    @api.get("/lines")
    async def show() -> list[str]:
        return ["connects with a-long-password"] * lines

    async with Request(api, "GET", "/lines") as answer:
        text = await answer.text()

    assert json.loads(text) == ["connects with [hidden]"] * lines
    assert int(answer.answered["content-length"]) == len(text)
    assert (threading.get_ident() in known.threads) is (lines == 10)


async def test_a_long_history_is_whole(api: Api) -> None:
    changes = tuple(Change(f"{number:040x}", "feat", "shop", "sell more " * 20, False) for number in range(200))
    for number in range(3):
        one = Deployment(f"d{number}", "shop", Kind.DEPLOY, State.LIVE, "ci", now(), live_at=now(), changes=changes)
        api.orchestrator.journal.add(one)

    found: Any = await api.json("GET", "/v1/apps/shop/deployments?limit=3", api.token(Scope.READ))

    assert [one["id"] for one in found["deployments"]] == ["d2", "d1", "d0"]
    assert len(found["deployments"][0]["changes"]) == 200
    assert found["before"] is not None
