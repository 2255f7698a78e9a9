"""Every screen and widget of the panel as it looks, in a wide and in a narrow terminal.

`pytest tests/component/test_screens.py --snapshot-update` records how they look now; look at the pictures in
`__snapshots__` before they are committed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.dashboard import PHONE
from panel.screens.progress import ProgressScreen
from panel.session.state import SessionState
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WIDE, NARROW = (120, 40), (60, 30)
WAIT_S = 10
LOOK_S, STILL_LOOKS = 0.02, 10
Act = Callable[[Pilot[Any]], Awaitable[None]]
Snap = Callable[..., bool]

pytestmark = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(autouse=True)
def fixed_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The release, the time zone and the colours that the pictures were made with."""
    monkeypatch.setenv("CHANGEOVER_VERSION", "v1.2.3")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A shop that can be updated and rolled back, a till that is deployed, and a panel without an update."""
    with FakeApi() as api:
        shop = answers.app(standby=answers.slot("v0.9.0", "green"), update=answers.update())
        till = answers.app(
            "till", active=None, health="none", deployment={"id": "d43", "state": "running", "step": "build"}
        )
        panel = answers.app("panel", active=answers.slot("v1.2.3", "green"), health="unhealthy")
        api.gives("GET", "/v1/apps", {"apps": [shop, till, panel]})
        api.gives("GET", "/v1/apps/shop", shop)
        api.gives("POST", "/v1/apps/shop/update/check", answers.update())
        cost = ["2 WebSockets are open now. They are closed 30 s after the switch at the latest."]
        api.gives("GET", "/v1/apps/shop/plan", {"app": "shop", "kind": "deploy", "steps": [], "cost": cost})
        requests = [3.0] * 60
        summary = {"requests": requests, "errors": 0.012, "p99": 123.0, "ticks": "+" * 48 + "-+"}
        idle = {"requests": [0.0] * 60, "errors": None, "p99": None, "ticks": "-" * 50}
        numbers = {"shop": summary, "till": idle, "panel": idle}
        api.gives("GET", "/v1/traffic", {"at": NOW.isoformat(), "step": 1, "apps": numbers})
        api.gives("GET", "/v1/apps/shop/traffic", traffic())
        yield api


def traffic() -> dict[str, Any]:
    """Ten minutes of requests that come and go, with errors in the middle."""
    seconds = range(600)
    requests = [20.0 + abs(second % 120 - 60) / 4 for second in seconds]
    failed = [2.0 if 300 <= second < 320 else 0.0 for second in seconds]
    return {
        "app": "shop", "step": 1, "at": [(NOW - timedelta(seconds=600 - second)).isoformat() for second in seconds],
        "requests": requests, "server_errors": failed, "failed": [0.0] * 600, "client_errors": [0.0] * 600,
        "p50": [4.0 + one / 10 for one in requests], "p99": [60.0 + one for one in requests],
    }  # fmt: skip


@pytest.fixture
def panel(api: FakeApi) -> PanelApp:
    return PanelApp(Client(api.url, "co_secret"), clock=lambda: NOW)


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Wait until what the API answered is on the screen."""
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"The screen does not show what was waited for, but:\n{shown(pilot)}"
        await pilot.pause(0.01)
    await rest(pilot)


async def rest(pilot: Pilot[Any]) -> None:
    """Wait until the picture stays: a table has its columns' widths, and a list its place, a moment after its words."""
    last, same = "", 0
    while same < STILL_LOOKS:
        await pilot.pause(LOOK_S)
        now = shown(pilot)
        last, same = now, same + 1 if now == last else 0


def showing(*words: str) -> Act:
    async def wait(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: all(one in shown(pilot) for one in words))

    return wait


async def with_numbers(pilot: Pilot[Any]) -> None:
    """Wait for the apps, and for the numbers of the first one: in the list, and where there is room, in its plots."""
    await showing("v1.0.0", "123 ms", *(["most 35", "most 95 ms"] if pilot.app.size.width >= PHONE else []))(pilot)


def pressing(keys: str, *words: str) -> Act:
    """Wait for the apps, press these keys, wait for these words."""

    async def press(pilot: Pilot[Any]) -> None:
        await with_numbers(pilot)
        await pilot.press(*keys.split())
        await showing(*words)(pilot)

    return press


def following(deployment: str, *words: str) -> Act:
    """Open the progress screen of a deployment of the shop, wait for these words."""

    async def follow(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, PanelApp)
        await with_numbers(pilot)
        await app.push_screen(ProgressScreen(app.client, "shop", deployment, app.clock))
        await showing(*words)(pilot)

    return follow


def test_the_dashboard(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    events = Events().add("config_loaded", app="", apps=["shop"]).add("queued", "d42", by="ci")
    events.add("started", "d42", by="ci", deployment_kind="deploy").steps("d42", "prepare", "build")
    events.add("step", "d42", step="verify", state="failed", note="The container exited with code 1.")
    events.add("failed", "d42", step="verify", cause="The container exited with code 1.")
    events.add("live", "d41", colour="blue", seconds=2.31).add("restored", "d40", backup="b1", replaced="b2")
    events.add("check_failed", cause="The source does not answer.", remedy="Check the address.")
    events.add("eclipsed", by="the moon").add("update", version="v1.1.0").add("health", health="stopped")
    api.events = events.all

    assert snap_compare(panel, terminal_size=size, run_before=pressing("", "health: stopped", "[U] Update"))


def test_the_overview_of_an_app(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    """With a mark at each switch, and what each container uses."""
    switches = [
        {"at": (NOW - timedelta(seconds=age)).isoformat(), "version": version, "colour": colour}
        for age, version, colour in ((420, "v0.9.0", "green"), (90, "v1.0.0", "blue"))
    ]
    blue = {"colour": "blue", "cpu": [0.034] * 600, "memory": [145.0 * 2**20] * 600}
    green = {"colour": "green", "cpu": [0.4, *[0.0] * 599], "memory": [96.0 * 2**20] * 600}
    used = {"shop-blue": blue, "shop-green": green}
    api.gives("GET", "/v1/apps/shop/traffic", traffic() | {"switches": switches, "containers": used})
    shows = pressing("1", "G v0.9.0", "B v1.0.0", "CPU 3.4%", "CPU 0%")

    assert snap_compare(panel, terminal_size=size, run_before=shows)


def test_a_dashboard_without_apps(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.gives("GET", "/v1/apps", {"apps": []})
    api.gives("GET", "/v1/traffic", {"apps": {}})

    async def answered(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: bool(api.requests("GET", "/v1/apps")))

    assert snap_compare(panel, terminal_size=size, run_before=answered)


def test_the_question_before_an_update(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    assert snap_compare(panel, terminal_size=size, run_before=pressing("u", "2 WebSockets", "Proceed with update?"))


def test_the_details_of_an_update(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    assert snap_compare(panel, terminal_size=size, run_before=pressing("d", "UPDATE DETAILS", "Breaking changes"))


def test_the_help(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    assert snap_compare(panel, terminal_size=size, run_before=pressing("question_mark", "KEYS", "standby"))


def test_a_deployment_under_way(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    events = Events().steps("d42", "prepare", "fetch").add("step", "d42", step="build", state="running")
    for number in range(1, 11):
        events.add("line", "d42", line=f"#{number} RUN pip install --require-hashes -r requirements.txt")
    api.events = events.all

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "#10 RUN"))


def test_a_deployment_that_is_live(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    names = ("prepare", "fetch", "build", "backup", "migrate", "start", "verify", "switch")
    api.events = Events().steps("d42", *names).add("live", "d42", colour="green", seconds=2.31).all
    api.gives("GET", "/v1/deployments/d42", answers.deployment(paused=0.4))

    assert snap_compare(
        panel, terminal_size=size, run_before=following("d42", "UPDATE COMPLETE", "Successfully updated")
    )


def test_a_deployment_that_failed(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    events = Events().steps("d42", "prepare", "fetch", "build", "backup", "migrate", "start")
    events.add("step", "d42", step="verify", state="running").add("step", "d42", step="verify", state="failed")
    api.events = events.add("failed", "d42", step="verify", cause="It ended.").all
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42"))

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "UPDATE FAILED", "healthy"))


def test_a_deployment_that_was_rolled_back(
    snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]
) -> None:
    api.events = Events().steps("d42", "switch").add("live", "d42", colour="green").all
    api.gives("GET", "/v1/deployments/d42", answers.deployment(state="rolled_back"))

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "UPDATE ROLLED BACK", "healthy"))


def test_a_rollback_is_told(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.gives("POST", "/v1/apps/shop/rollback", answers.deployment(kind="rollback", version="v0.9.0", seconds=0.05))

    assert snap_compare(panel, terminal_size=size, run_before=pressing("b y", "Rolled back"))


def test_an_error_is_told_with_its_remedy(
    snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]
) -> None:
    api.refuses("POST", "/v1/apps/shop/rollback", 409, detail="shop has no standby release.", remedy="Deploy it first.")

    assert snap_compare(panel, terminal_size=size, run_before=pressing("b y", "no standby", "Deploy it first."))


class ResumedPanel(PanelApp):
    """Continues a session that another release saved, as the web server has it done."""

    def on_ready(self) -> None:
        self.begin(SessionState(release="v1.2.2", selected="panel", following_app="shop", deployment="d42"))


def test_a_session_goes_on_in_the_next_release(snap_compare: Snap, api: FakeApi, size: tuple[int, int]) -> None:
    api.events = Events().steps("d42", "prepare").add("step", "d42", step="fetch", state="running").all
    panel = ResumedPanel(Client(api.url, "co_secret"), clock=lambda: NOW)

    assert snap_compare(panel, terminal_size=size, run_before=showing("UPDATING SHOP", "Resumed"))


def audited(number: int, who: str, action: str, status: int | None, outcome: str, why: str = "") -> dict[str, object]:
    return {
        "id": number, "at": f"2026-11-24T09:3{number}:00Z", "who": who, "origin": "203.0.113.7", "action": action,
        "app": "", "status": status, "outcome": outcome, "reason": why,
    }  # fmt: skip


def test_the_audit_log(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.gives("GET", "/v1/audit", {"before": None, "entries": audit_entries()})

    assert snap_compare(panel, terminal_size=size, run_before=pressing("a", "Audit log", "unknown", "refused"))


def test_who_did_what_in_the_tab_events(
    snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]
) -> None:
    api.gives("GET", "/v1/audit", {"before": None, "entries": audit_entries()})
    shows = pressing("6 e", "[Who did what]", "unknown", "refused")

    assert snap_compare(panel, terminal_size=size, run_before=shows)


def audit_entries() -> list[dict[str, object]]:
    return [
        audited(4, "ci", "POST /v1/apps/shop/rollback", None, "unknown"),
        audited(3, "ci", "POST /v1/apps/shop/deployments", 202, "done"),
        audited(2, "", "GET /v1/apps", 401, "refused", "The token is unknown or revoked."),
        audited(1, "ann", "POST /v1/apps/shop/rollback", 502, "failed", "The switch failed."),
    ]


def test_the_alerts(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.gives("GET", "/v1/alerts", {"before": None, "alerts": answers.alerts()})

    assert snap_compare(panel, terminal_size=size, run_before=pressing("h", "4 alerts, 1 going on", "shop: away"))
