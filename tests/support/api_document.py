"""Requests that schemathesis makes from the API's OpenAPI document: values of each form and of no form.

The unit test makes few of them; the component test makes those of every border of every schema, too.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from orchestrator.access import tokens
from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator
from tests.support.asgi import api_of

CALLERS = (None, *Scope)
"""Without a token, and with one of each scope."""
ENDLESS = "/v1/events"
"""Its answer has no end; test_hostile_requests.py asks for it."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def document_for(caller: Scope | None, orchestrator: Orchestrator, *, borders: bool) -> schemathesis.BaseSchema:
    """The document of an orchestrator that is not started; `borders`: with the values at the borders of each schema."""
    orchestrator.ready = True
    orchestrator.health.fresh_within_s = 0.0  # nothing probes
    secret = tokens.create(orchestrator.journal, f"{caller}", caller) if caller else ""
    found = schemathesis.openapi.from_asgi("/openapi.json", _WithoutStart(api_of(orchestrator)))
    found.config.update(headers={"Authorization": f"Bearer {secret}"} if secret else {})
    found.config.phases.coverage.enabled = borders
    return found


def answers_as_documented(case: schemathesis.Case[Any]) -> None:  # Any: a body of any kind
    """No status 5xx, none that the document does not name, and a body of the documented form."""
    case.call_and_validate(checks=CHECKS)


class _WithoutStart:
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
