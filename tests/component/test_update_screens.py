"""The screens of an update as they look, in a wide and in a narrow terminal. See test_screens.py for how to record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.events import Event
from panel.client.model import Deployment
from panel.screens.reload import ReloadScreen
from panel.screens.replaced import ReplacedScreen
from panel.session.state import Reload
from panel.web.successor import Successor
from tests.component.test_screens import Act, Snap, following, pressing, showing, with_numbers
from tests.component.test_screens import api as api
from tests.component.test_screens import fixed_surroundings as fixed_surroundings
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events, before
from tests.support.fakes.api import FakeApi

WIDE, NARROW = (120, 40), (60, 20)
STEPS = ("prepare", "fetch", "build", "backup", "migrate", "start")

pytestmark = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture
def panel(api: FakeApi) -> PanelApp:
    return PanelApp(Client(api.url, "co_secret"), clock=lambda: NOW)


def with_screen(screen: Any, *words: str) -> Act:  # Any: a screen of any result
    async def push(pilot: Pilot[Any]) -> None:
        await showing("v1.0.0")(pilot)
        await pilot.app.push_screen(screen)
        await showing(*words)(pilot)

    return push


def test_the_notice_at_the_start(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    told = ["start", "background", "asked"]
    own = answers.app("panel", update=answers.update("v1.3.0", changes_left_out=4), notify_of=told)
    api.gives("GET", "/v1/apps", {"apps": [answers.app(update=answers.update(), notify_of=told), own]})

    assert snap_compare(panel, terminal_size=size, run_before=showing("Update available: panel v1.3.0", "to skip"))


def test_the_toast_of_a_new_version(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    events = Events().add("update", version="v1.1.0", found_by="background")
    told = answers.app(update=answers.update(), notify_of=["background"])

    async def find(pilot: Pilot[Any]) -> None:
        await with_numbers(pilot)
        api.gives("GET", "/v1/apps", {"apps": [told]})
        panel._take(Event.model_validate(events.all[0]))
        await showing("Select the app and press")(pilot)

    api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
    assert snap_compare(panel, terminal_size=size, run_before=find)


def test_progress_with_an_estimate(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    took = {"prepare": 1.0, "fetch": 2.0, "build": 100.0, "switch": 3.0}
    steps = [{"name": name, "state": "done", "started_at": before(hours=1), "seconds": s} for name, s in took.items()]
    earlier = answers.deployment("d41", live_at=before(hours=1), steps=steps)
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [earlier], "before": None})
    api.events = Events().steps("d42", "prepare", "fetch").add("step", "d42", step="build", state="running").all

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "about", "Building the image"))


def failing(*, is_over: bool) -> Events:
    events = Events().steps("d42", *STEPS).add("step", "d42", step="verify", state="running")
    events.add("step", "d42", step="verify", state="failed", note="It ended.")
    events.add("undo", "d42", step="start", state="running")
    if not is_over:
        return events
    events.add("undo", "d42", step="start", state="done", says="Removed the candidate shop-green", seconds=0.42)
    events.add("undo", "d42", step="fetch", state="running").add("undo", "d42", step="fetch", state="done", seconds=0.1)
    return events.add("failed", "d42", step="verify", cause="It ended.")


def test_what_is_undone(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.events = failing(is_over=False).all

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "Undoing what was done"))


def test_a_failed_update(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.events = failing(is_over=True).all
    serving = {"answers": True, "says": "v1.0.0 on blue serves: it has answered /healthz at its container."}
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42") | {"failure": answers.FAILURE | {"serving": serving}})

    assert snap_compare(panel, terminal_size=size, run_before=following("d42", "UPDATE FAILED", "[T] Try again"))


def test_the_full_changelog(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    shop = answers.app(update=answers.update(changes_left_out=7))
    api.gives("GET", "/v1/apps", {"apps": [shop]})

    assert snap_compare(
        panel, terminal_size=size, run_before=pressing("d l slash t i l l", "CHANGELOG OF SHOP", "Match 1 of 2.")
    )


def test_the_countdown_to_the_new_panel(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    found = Successor(Deployment.model_validate(answers.deployment(app="panel", version="v1.3.0")))
    screen = ReplacedScreen(found.title, found.version, found.says)
    screen.COUNTS_EVERY_S = 3600

    assert snap_compare(panel, terminal_size=size, run_before=with_screen(screen, "Moving to v1.3.0 in 3 seconds."))


def test_a_reload(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    reload = Reload(began_at=NOW, saved_at=NOW + timedelta(seconds=0.1))
    screen = ReloadScreen(reload, NOW + timedelta(seconds=0.6), NOW + timedelta(seconds=0.7))

    assert snap_compare(panel, terminal_size=size, run_before=with_screen(screen, "Reload complete (0.7 s)"))
