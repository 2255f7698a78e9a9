"""What /metrics has of the traffic, and that the documentation and the dashboard name what it has."""

from __future__ import annotations

import json
import re

from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import Container, Use
from orchestrator.server import Orchestrator
from tests.support.paths import ROOT
from tests.unit.api.conftest import Api
from tests.unit.api.test_traffic import sampled

NAME = re.compile(r"\bchangeover_[a-z_]+")
PARTS_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")


async def scraped(api: Api, *apps: str) -> str:
    async with api.request("GET", "/metrics", api.token(Scope.READ, *apps)) as answer:
        return await answer.text()


async def with_traffic(orchestrator: Orchestrator) -> None:
    await sampled(orchestrator, 10, 20)
    orchestrator.traffic.uses.latest[Container("shop-1", "shop", Colour.BLUE)] = Use(0.25, 1000.0)


async def test_the_metrics_say_what_each_colour_was_asked_and_what_its_containers_use(api: Api) -> None:
    await with_traffic(api.orchestrator)

    text = await scraped(api)

    of_blue = 'app="shop",colour="blue"'
    assert f'changeover_app_requests_total{{{of_blue},status="2xx"}} 27.0' in text
    assert f'changeover_app_requests_total{{{of_blue},status="5xx"}} 3.0' in text
    assert f'changeover_app_response_seconds_bucket{{{of_blue},le="0.05"}} 0.0' in text
    assert f'changeover_app_response_seconds_bucket{{{of_blue},le="0.25"}} 30.0' in text
    assert f"changeover_app_response_seconds_count{{{of_blue}}} 30.0" in text
    assert 'changeover_container_cpu_cores{app="shop",colour="blue",container="shop-1"} 0.25' in text
    assert 'changeover_container_memory_bytes{app="shop",colour="blue",container="shop-1"} 1000.0' in text


async def test_a_token_for_other_apps_has_no_metric_of_it(api: Api) -> None:
    await with_traffic(api.orchestrator)

    assert "shop" not in await scraped(api, "panel")


async def test_dashboard_and_page_name_every_metric_of_the_traffic_and_no_other(api: Api) -> None:
    await with_traffic(api.orchestrator)
    text = await scraped(api)
    helped = set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))
    # Of a counter, `# HELP` has the name with _total.
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queried = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queried += [one["definition"] for one in dashboard["templating"]["list"] if "definition" in one]
    named = {_family(name) for query in queried for name in NAME.findall(query)}
    page = set(NAME.findall((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))

    assert named <= helped
    assert page == helped
    assert {name for name in helped if name.startswith(("changeover_app_re", "changeover_container"))} <= named


def _family(name: str) -> str:
    for part in PARTS_OF_A_HISTOGRAM:
        name = name.removesuffix(part)
    return name
