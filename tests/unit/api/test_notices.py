"""A test of notices: who may send one, and what is answered."""

from __future__ import annotations

import pytest

from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator
from tests.support.fakes.courier import FakeCourier, fails
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

URL = "json://me:password-of-mine@one.test/hook"


@pytest.fixture
async def told(api: Api) -> FakeCourier:
    """All services are told of all apps; one of them of shop alone."""
    orchestrator = api.orchestrator
    folder = orchestrator.settings.config.parent
    (folder / "all").write_text(f"{URL}\n")
    (folder / "of-shop").write_text("ntfy://topic\nwrong\n")
    orchestrator.settings.config.write_text(f"notify: [{{url_file: all}}]\n{SHOP}    notify: [{{url_file: of-shop}}]\n")
    await orchestrator.reload_config()
    courier = orchestrator.notices.courier = FakeCourier()
    return courier


@pytest.mark.parametrize("path", ["/v1/notices/test", "/v1/apps/shop/notices/test"])
async def test_every_service_gets_a_test_and_what_each_said_is_shown_without_its_url(
    api: Api, told: FakeCourier, path: str
) -> None:
    told.answers["ntfy://topic"] = [fails("error=500.")]

    answer = await api.json("POST", path, api.token(Scope.ADMIN, name="anna"))

    assert answer["services"] == [
        {"service": "json (all, line 1)", "taken": True, "says": "", "seconds": 0.0},
        {"service": "ntfy (of-shop, line 1)", "taken": False, "says": "error=500.", "seconds": 0.0},
    ]
    assert "of-shop, line 2: it is no URL of a service" in str(answer["problems"])
    assert "password-of-mine" not in str(answer)
    assert "Requested by anna." in told.taken[URL][0].body


async def test_of_an_app_only_those_who_are_told_of_it_get_the_test(api: Api, told: FakeCourier) -> None:
    await api.json("POST", "/v1/apps/panel/notices/test", api.token(Scope.ADMIN))

    assert list(told.taken) == [URL]


@pytest.mark.parametrize(
    ("scope", "apps", "path", "status"),
    [
        (Scope.READ, (), "/v1/notices/test", 403),
        (Scope.DEPLOY, (), "/v1/notices/test", 403),
        (Scope.DEPLOY, ("shop",), "/v1/apps/shop/notices/test", 403),
        (Scope.ADMIN, ("shop",), "/v1/notices/test", 403),
        (Scope.ADMIN, ("shop",), "/v1/apps/panel/notices/test", 403),
        (Scope.ADMIN, ("shop",), "/v1/apps/shop/notices/test", 200),
        (Scope.ADMIN, (), "/v1/apps/unknown/notices/test", 404),
    ],
)
async def test_who_may_send_something_to_the_outside(
    api: Api, told: FakeCourier, scope: Scope, apps: tuple[str, ...], path: str, status: int
) -> None:
    assert await api.status("POST", path, api.token(scope, *apps)) == status
    assert bool(told.taken) is (status == 200)


async def test_without_services_a_test_is_refused_with_what_to_do(orchestrator: Orchestrator) -> None:
    api = Api(orchestrator)

    assert await api.status("POST", "/v1/notices/test", api.token(Scope.ADMIN)) == 409
