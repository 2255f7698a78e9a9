"""The Logs tab as it looks, in a wide and in a narrow terminal (test_screens.py says how the pictures are made)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from panel.client.client import Client
from panel.widgets.key_line import KeyLine
from panel.widgets.logs.pane import LogsPane
from tests.component.test_screens import NARROW, WIDE, Snap, until
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WRITTEN = [
    ("shop-green-d1", "info", "INFO:     Application startup complete."),
    ("shop-green-d1", "info", 'INFO:     10.0.0.1:5 - "GET /orders HTTP/1.1" 200 OK'),
    ("steps-d2", "", "#7 [3/4] COPY . ."),
    ("shop-blue-d2", "warning", "WARNING:  the cache is cold"),
    ("shop-blue-d2", "error", "ERROR:    Exception in ASGI application"),
    ("shop-blue-d2", "error", "Traceback (most recent call last):"),
    ("shop-blue-d2", "error", '  File "/app/shop.py", line 31, in order'),
    ("shop-blue-d2", "error", "ValueError: no such order"),
    ("shop-blue-d2", "debug", "DEBUG:    café ☕ 日本語 " + "a long line " * 12),
]


class Alone(App[None]):
    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self.pane = LogsPane(Client(api.url, "co_secret"))

    def compose(self) -> ComposeResult:
        yield self.pane
        yield KeyLine()

    def on_mount(self) -> None:
        self.pane.show_app("shop")
        self.pane.view.focus()


@pytest.fixture(autouse=True)
def fixed_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_merged_log_with_what_is_searched_for(snap_compare: Snap, size: tuple[int, int]) -> None:
    values: list[dict[str, object]] = [{"line": "[shop-green-d1: 9 lines before this not kept]", "note": True}]
    for number, (container, level, text) in enumerate(WRITTEN):
        at = f"2026-11-28T08:00:{number:02d}.000000000Z"
        values.append({"line": text, "at": at, "container": container, "deployment": container[-2:], "level": level})

    async def searched(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: "no such order" in shown(pilot))
        await pilot.press("slash", *"order", "enter")
        await until(pilot, lambda: "1 of 3" in shown(pilot))

    with FakeApi() as api:
        places = (("shop-blue-d2", "active", "blue"), ("steps-d2", "steps", ""), ("shop-green-d1", "earlier", "green"))
        logs = [
            {"container": name, "place": place, "colour": colour, "deployment": name[-2:]}
            for name, place, colour in places
        ]
        api.gives("GET", "/v1/apps/shop/logs/containers", {"logs": logs})
        api.gives_text("GET", "/v1/apps/shop/logs/follow", "".join(json.dumps(value) + "\n" for value in values))

        assert snap_compare(Alone(api), terminal_size=size, run_before=searched)
