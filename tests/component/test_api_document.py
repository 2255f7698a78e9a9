"""The API keeps what its OpenAPI document says, also for the values at the borders of every schema; see
`tests/unit/api/test_document.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from orchestrator.server import Orchestrator
from orchestrator.settings import Settings
from tests.support.api_document import CALLERS, ENDLESS, answers_as_documented, document_for
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy

pytestmark = pytest.mark.in_turn
EXAMPLES = 6
SHOP = "apps:\n  shop:\n    update: {git: {remote: /srv/shop}}\n    route: {host: shop.test}\n"


@pytest.fixture(params=CALLERS, ids=lambda caller: str(caller or "no token"))
def document(request: pytest.FixtureRequest, tmp_path: Path) -> schemathesis.BaseSchema:
    settings = Settings(state=tmp_path, config=tmp_path / "control-panel-config.yaml", proxy=tmp_path / "proxy")
    settings.config.write_text(SHOP)
    engine = FakeEngine()
    orchestrator = Orchestrator(settings, engine=engine, proxy=FakeProxy(engine))
    orchestrator.load()
    return document_for(request.param, orchestrator, borders=True)


requests = schemathesis.pytest.from_fixture("document").exclude(path=ENDLESS)


@requests.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_route_answers_as_its_document_says(case: schemathesis.Case[Any]) -> None:
    answers_as_documented(case)
