"""What the standby answered and what crashes is in /metrics, and in the troubles of `status`."""

from __future__ import annotations

from orchestrator.apps.look import Health
from orchestrator.clock import now
from orchestrator.deploy.failover_record import Record
from orchestrator.doctor import problems
from orchestrator.domain.access import Scope
from orchestrator.domain.events import WentBack
from orchestrator.domain.update_events import CheckFailed
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.notices.lanes import Fate
from tests.unit.api.conftest import Api


async def test_the_metrics_say_what_the_standby_answered_and_how_often_a_container_crashed(api: Api) -> None:
    app = api.orchestrator.apps.all()[0].name
    record = api.orchestrator.failover.record(app)
    record.times, record.since, record.cause = 2, now(), "shop exited with code 137"
    record.count(28)
    for _ in range(3):
        api.orchestrator.crashes.heard(ContainerEvent("die", app, Role.APP, f"{app}-blue"))

    async with api.request("GET", "/metrics", api.token(Scope.READ)) as answer:
        text = await answer.text()

    assert f'changeover_app_failed_over{{app="{app}"}} 1.0' in text
    assert f'changeover_app_failovers_total{{app="{app}"}} 2.0' in text
    assert f'changeover_app_standby_requests_total{{app="{app}"}} 28.0' in text
    assert f'changeover_app_crashes_total{{app="{app}"}} 3.0' in text
    assert f'changeover_app_healthy{{app="{app}"}} 0.0' in text


async def test_the_metrics_say_what_became_of_notices(api: Api) -> None:
    notices, app = api.orchestrator.notices, api.orchestrator.apps.all()[0].name
    notices.lanes.total[app, Fate.TAKEN] = 5
    notices.lanes.total[app, Fate.DROPPED] = 2
    notices.notify(WentBack(1, 2.0), app, "d1")
    notices.notify(CheckFailed("No answer.", ""), app, "")

    async with api.request("GET", "/metrics", api.token(Scope.READ)) as answer:
        text = await answer.text()
    async with api.request("GET", "/metrics", api.token(Scope.READ, "other")) as answer:
        of_others = await answer.text()

    assert f'changeover_notices_total{{app="{app}",outcome="taken"}} 5.0' in text
    assert f'changeover_notices_total{{app="{app}",outcome="dropped"}} 2.0' in text
    assert f'changeover_notices_waiting{{app="{app}"}} 1.0' in text
    assert "outcome" not in of_others


def test_status_says_that_the_standby_answers_and_why(api: Api) -> None:
    orchestrator = api.orchestrator
    app = orchestrator.apps.all()[0].name
    record = orchestrator.failover.record(app)
    record.since, record.cause, record.requests = now(), "shop exited with code 137", 28

    found = problems.of_app(orchestrator, app, Health.STANDBY)

    assert [one.says for one in found] == [
        "The standby has the traffic, 28 requests so far, "
        "because the active container ended: shop exited with code 137."
    ]


def test_answers_are_counted_over_a_restart_of_the_proxy() -> None:
    record = Record(counted=10)

    for counted in (12, 15, 2, 4):
        record.count(counted)

    assert record.requests == 2 + 3 + 2 + 2
