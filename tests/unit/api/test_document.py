"""The API keeps what its OpenAPI document says, whatever is asked: no status 5xx, and none that it does not name.

A few requests for each route and caller; `tests/component/test_api_document.py` makes the others.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from orchestrator.server import Orchestrator
from tests.support.api_document import CALLERS, ENDLESS, answers_as_documented, document_for

pytestmark = pytest.mark.in_turn

EXAMPLES = 2


@pytest.fixture(params=CALLERS, ids=lambda caller: str(caller or "no token"))
def document(request: pytest.FixtureRequest, orchestrator: Orchestrator) -> schemathesis.BaseSchema:
    return document_for(request.param, orchestrator, borders=False)


requests = schemathesis.pytest.from_fixture("document").exclude(path=ENDLESS)


@requests.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_answers_as_its_document_says(case: schemathesis.Case[Any]) -> None:
    answers_as_documented(case)
