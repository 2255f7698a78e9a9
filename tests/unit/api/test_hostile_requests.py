"""Requests that were found to be answered with status 5xx, or that are made to be: each is refused, and says why."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from orchestrator.access import tokens
from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator
from tests.support.asgi import api_of

HUGE = "9" * 20
NOT_ACCEPTED = [
    ("GET", f"/v1/events?after={HUGE}", None),
    ("GET", "/v1/events?after=-1", None),
    ("GET", "/v1/events?after=NaN", None),
    ("GET", f"/v1/events?recent={HUGE}", None),
    ("GET", "/v1/events?deployment=%00", None),
    ("GET", f"/v1/deployments/d1/events?after={HUGE}", None),
    ("GET", f"/v1/deployments/{'a' * 5000}", None),
    ("GET", "/v1/deployments/%00", None),
    ("GET", "/v1/deployments/--all", None),
    ("GET", f"/v1/apps/{'a' * 5000}", None),
    ("GET", "/v1/apps/%F0%9F%A6%84", None),
    ("GET", "/v1/apps/%ED%A0%80", None),
    ("GET", "/v1/apps/shop/logs?tail=-1", None),
    ("GET", f"/v1/apps/shop/logs?tail={HUGE}", None),
    ("GET", f"/v1/apps/shop/deployments?limit={HUGE}", None),
    ("GET", f"/v1/apps/shop/deployments?before={HUGE}", None),
    ("POST", "/v1/apps/shop/backups/--gently/verify", None),
    ("POST", "/v1/apps/shop/backups/..%5C../verify", None),
    ("POST", "/v1/apps/shop/backups/%00/restore", None),
    ("POST", "/v1/apps/shop/pause", '{"limit": NaN}'),
    ("POST", "/v1/apps/shop/pause", '{"limit": Infinity}'),
    ("POST", "/v1/apps/shop/pause", '{"limit": 1e999}'),
    ("POST", "/v1/apps/shop/deployments", r'{"ref": "\ud800"}'),
    ("POST", "/v1/apps/shop/deployments", r'{"ref": "\u0000"}'),
    ("POST", "/v1/apps/shop/deployments", '{"ref": "--upload-pack=/bin/sh"}'),
    ("POST", "/v1/apps/shop/deployments", json.dumps({"ref": "r" * 5000})),
    ("POST", "/v1/apps/shop/rollback", '{"restore": "--gently"}'),
    ("POST", "/v1/tokens", '{"name": "", "scope": "read"}'),
    ("POST", "/v1/tokens", '{"name": "a/b", "scope": "read"}'),
    ("POST", "/v1/tokens", r'{"name": "\udfff", "scope": "read"}'),
    ("POST", "/v1/tokens", json.dumps({"name": "n" * 5000, "scope": "read"})),
    ("POST", "/v1/tokens", json.dumps({"name": "n", "scope": "read", "expires_in": 10**30})),
    ("DELETE", "/v1/tokens?name=%00", None),
    ("POST", "/v1/config/validate", json.dumps({"text": "x" * (2**20 + 1)})),
    ("POST", "/v1/config/validate", r'{"text": "\ud800"}'),
    ("POST", "/v1/config/validate", '{"text": ' + "[" * 20_000),
    ("POST", "/v1/config/validate", "\x00\x01"),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), NOT_ACCEPTED, ids=[f"{m} {p[:60]} {b or ''}"[:90] for m, p, b in NOT_ACCEPTED]
)
def test_what_has_not_the_form_of_a_value_is_refused(
    orchestrator: Orchestrator, method: str, path: str, body: str | None
) -> None:
    orchestrator.ready = True
    secret = tokens.create(orchestrator.journal, "admin", Scope.ADMIN)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=api_of(orchestrator), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
            return await client.request(method, path, content=body)

    answer = asyncio.run(ask())

    assert answer.status_code in (400, 404, 413, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    if answer.status_code == 400:
        assert answer.json()["detail"] == "The body of the request is not JSON."
