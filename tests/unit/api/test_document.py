"""The API keeps what its OpenAPI document says, whatever is asked: no status 5xx, and none that it does not name.

schemathesis makes the requests from the document: values of each form and of no form, for each route, with no token
and with a token of each scope.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from orchestrator.access import tokens
from orchestrator.api.application import create
from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator

EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class WithoutStart:
    """The API without what the orchestrator does in the background."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._api(scope, receive, send)
            return
        for moment in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{moment}.complete"})


@pytest.fixture(params=[None, *Scope], ids=["no token", *Scope])
def document(request: pytest.FixtureRequest, orchestrator: Orchestrator) -> schemathesis.BaseSchema:
    orchestrator.ready = True
    scope = request.param
    secret = tokens.create(orchestrator.journal, f"{scope}", scope) if scope else ""
    found = schemathesis.openapi.from_asgi("/openapi.json", WithoutStart(create(orchestrator)))
    found.config.update(headers={"Authorization": f"Bearer {secret}"} if secret else {})
    return found


# The event stream has no end; test_hostile_requests.py asks for it.
requests = schemathesis.pytest.from_fixture("document").exclude(path="/v1/events")


@requests.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_answers_as_its_document_says(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=CHECKS)
