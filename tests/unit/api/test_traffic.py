"""The numbers of apps by the API, and as samples in the event stream."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.proxy.request_log import Answered
from orchestrator.proxy.statistics import Totals
from orchestrator.server import Orchestrator
from tests.support.fakes.traffic import FakeStatistics
from tests.unit.api.conftest import Api


async def sampled(orchestrator: Orchestrator, *requests: int) -> None:
    """So many requests of shop, second by second; one in ten fails, and each takes 100 ms."""
    sampler, proxy = orchestrator.traffic.sampler, orchestrator.proxy.statistics
    assert isinstance(proxy, FakeStatistics)
    first = sampler.history.seconds.newest + 1
    if not first:
        await sampler.sample(0)
        first = 1
    for second, count in enumerate(requests, first):
        proxy.count("shop", Colour.BLUE, Totals(requests=count, ok=count - count // 10, server_errors=count // 10))
        for _ in range(count):
            sampler.heard(Answered("shop", Colour.BLUE, False, 200, 100))
        await sampler.sample(second)


async def test_each_app_has_its_requests_by_the_second_and_its_ticks(api: Api) -> None:
    await sampled(api.orchestrator, 10, 20)
    api.orchestrator.traffic.ticks.add("shop", "+")

    found = await api.json("GET", "/v1/traffic?seconds=2", api.token(Scope.READ))

    assert found["step"] == 1
    assert found["apps"] == {
        "panel": {"requests": [0, 0], "errors": None, "p99": None, "ticks": ""},
        "shop": {"requests": [10, 20], "errors": 0.1, "p99": pytest.approx(100, rel=0.01), "ticks": "+"},
    }


async def test_a_token_for_some_apps_sees_their_traffic_alone(api: Api) -> None:
    found = await api.json("GET", "/v1/traffic", api.token(Scope.READ, "shop"))

    assert list(dict(found["apps"])) == ["shop"]  # type: ignore[call-overload]
    assert await api.status("GET", "/v1/apps/panel/traffic", api.token(Scope.READ, "shop")) == 403


async def test_before_the_first_sample_nothing_is_known(api: Api) -> None:
    found = await api.json("GET", "/v1/apps/shop/traffic", api.token(Scope.READ))

    assert found["at"] == found["requests"] == []


@pytest.mark.parametrize(("since", "step"), [("60", 1), ("600", 1), ("3600", 10), ("21600", 10)])
async def test_the_steps_are_longer_the_farther_back_it_begins(api: Api, since: str, step: int) -> None:
    await sampled(api.orchestrator, *[10] * 120)

    found = await api.json("GET", f"/v1/apps/shop/traffic?since={since}", api.token(Scope.READ))

    assert found["step"] == step
    columns = [found[name] for name in ("requests", "ok", "server_errors", "p50", "p99", "at")]
    assert {len(column) for column in columns if isinstance(column, list)} == {
        min(int(since), 120) // step + (step == 1 and int(since) > 120)
    }


@pytest.mark.parametrize("since", ["0", "604801", "soon", "2026-11-28T08:00:00", "9" * 39, "-1"])
async def test_what_is_no_moment_is_refused(api: Api, since: str) -> None:
    assert await api.status("GET", f"/v1/apps/shop/traffic?since={since}", api.token(Scope.READ)) == 422


async def test_a_moment_may_be_in_the_future_and_long_ago(api: Api) -> None:
    await sampled(api.orchestrator, 10)

    for since in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", now().isoformat()):
        url = f"/v1/apps/shop/traffic?since={quote(since)}"
        assert await api.status("GET", url, api.token(Scope.READ)) == 200


async def test_samples_are_in_the_stream_of_those_who_ask_for_them(api: Api) -> None:
    await sampled(api.orchestrator, 10)

    async with api.request("GET", "/v1/events?samples=true", api.token(Scope.READ)) as stream:
        assert await stream.chunk() == ": changeover\n\n"
        first = await stream.chunk()
        await sampled(api.orchestrator, 20)
        second = await stream.chunk()

    assert "id:" not in first
    assert first.startswith("event: sample\ndata: ")
    event = json.loads(first.split("data: ")[1])
    assert event["id"] == 0
    assert event["fields"]["apps"]["shop"][:2] == [10, 0.1]
    assert json.loads(second.split("data: ")[1])["fields"]["apps"]["shop"][0] == 20


async def test_a_token_for_other_apps_is_told_nothing_of_a_sample(api: Api) -> None:
    await sampled(api.orchestrator, 10)

    async with api.request("GET", "/v1/events?samples=true", api.token(Scope.READ, "panel")) as stream:
        await stream.chunk()
        first = json.loads((await stream.chunk()).split("data: ")[1])
        await sampled(api.orchestrator, 20)
        api.orchestrator.traffic.ticks.add("panel", "-")
        await sampled(api.orchestrator, 30)
        second = json.loads((await stream.chunk()).split("data: ")[1])

    assert first["fields"] == {"apps": {}, "ticks": {}}
    assert second["fields"] == {"apps": {}, "ticks": {"panel": "-"}}
