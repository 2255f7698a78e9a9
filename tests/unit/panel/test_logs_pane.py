"""The Logs tab, driven by keys: what is shown, searched, followed, and chosen."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from panel.client.client import Client
from panel.client.log_model import LogEntry
from panel.widgets.logs.pane import LogsPane
from panel.widgets.logs.row import drawn
from panel.widgets.logs.view import MOST_LINES
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

FOLLOW, ORIGINS = "/v1/apps/shop/logs/follow", "/v1/apps/shop/logs/containers"
ESCAPES = "\x1b]0;evil\x07\x1b[31mred\x1b[0m \u202egnp"


def line(number: int, text: str, level: str = "", container: str = "shop-blue-d2") -> dict[str, object]:
    at = f"2026-11-28T08:{number // 60 % 60:02d}:{number % 60:02d}.{number:09d}Z"
    return {"line": text, "at": at, "container": container, "deployment": "d2", "stream": "stdout", "level": level}


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


class Alone(App[None]):
    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self.pane = LogsPane(Client(api.url, "co_secret", (0.0,)))

    def compose(self) -> ComposeResult:
        yield self.pane


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        blue = {"container": "shop-blue-d2", "place": "active", "deployment": "d2", "colour": "blue", "version": "v2"}
        green = {
            "container": "shop-green-d1", "place": "earlier", "deployment": "d1", "colour": "green", "version": "v1",
            "removed_at": "2026-11-28T08:00:00Z",
        }  # fmt: skip
        api.gives("GET", ORIGINS, {"logs": [blue, green], "problem": ""})
        api.gives_text("GET", FOLLOW, lines(*(line(number, f"line {number}") for number in range(200))))
        yield api


@asynccontextmanager
async def opened(api: FakeApi, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[Any], LogsPane]]:
    app = Alone(api)
    async with app.run_test(size=size) as pilot:
        app.pane.show_app("shop")
        app.pane.view.focus()
        yield pilot, app.pane


async def until(pilot: Pilot[Any], *words: str) -> str:
    deadline = time.monotonic() + 20
    while not all(one in shown(pilot) for one in words):
        assert time.monotonic() < deadline, f"{words} are not shown, but:\n{shown(pilot)}"
        await pilot.pause(0.02)
    return shown(pilot)


def asked(api: FakeApi) -> dict[str, str]:
    return api.requests("GET", FOLLOW)[-1].query


async def test_the_newest_lines_of_all_containers_are_shown_and_followed(api: FakeApi) -> None:
    async with opened(api) as (pilot, _):
        text = await until(pilot, "line 199", "all containers · It has ended. · following · 200 lines")

    assert "08:03:19   blue         line 199" in text
    assert asked(api) == {"tail": "1000", "container": "all"}


async def test_who_scrolls_up_stops_following_is_told_so_and_end_follows_again(api: FakeApi) -> None:
    async with opened(api) as (pilot, pane):
        await until(pilot, "line 199")
        await pilot.press("pageup")
        await until(pilot, "not following: End follows again")
        before = pane.view.shown()
        pane.view.add([LogEntry(text="a new line", container="shop-blue-d2")])
        await pilot.pause()
        assert pane.view.shown() == before
        await pilot.press("end")
        await until(pilot, "a new line", "· following")


async def test_what_is_searched_for_is_marked_in_place_and_n_goes_from_one_to_the_next(api: FakeApi) -> None:
    async with opened(api) as (pilot, pane):
        await until(pilot, "line 199")
        await pilot.press("home", "slash", *"LINE", "space", *"15", "enter")
        text = await until(pilot, "'LINE 15' 1 of 11", "▶08:00:15")
        assert "line 14" in text  # what stands around it stays
        await pilot.press("n", "n")
        await until(pilot, "3 of 11", "▶08:02:31")
        await pilot.press("N", "N", "N")
        await until(pilot, "11 of 11", "▶08:02:39")
        await pilot.press("escape")
        await until(pilot, "not following: End follows again · 200 lines")
        assert pane.view.found == ""


async def test_the_level_and_the_container_are_asked_of_the_orchestrator(api: FakeApi) -> None:
    async with opened(api) as (pilot, _):
        await until(pilot, "line 199")
        await pilot.press("l", "l")
        await until(pilot, "warning and above")
        await pilot.press("c")
        text = await until(pilot, "all containers, merged", "active blue v2", "earlier green v1, removed 2026-11-28")
        await pilot.press("down", "down", "enter")
        await until(pilot, "shop-green-d1 · ", "warning and above")

        while asked(api).get("container") == "all":
            await pilot.pause(0.02)

    assert asked(api) == {"tail": "1000", "container": "shop-green-d1", "level": "warning"}
    assert "(shop-green-d1)" in text


async def test_a_level_has_a_letter_and_control_characters_are_text_of_nobody(api: FakeApi) -> None:
    api.gives_text(
        "GET", FOLLOW,
        lines(line(1, ESCAPES, "error"), line(2, "careful", "warning"), {"line": "[9 lines left out]", "note": True}),
    )  # fmt: skip
    async with opened(api) as (pilot, pane):
        text = await until(pilot, "[9 lines left out]")
        pieces = [segment.text for y in range(3) for segment in pane.view.render_line(y)]

    assert "08:00:01 E blue         red gnp" in text
    assert "08:00:02 W blue         careful" in text
    assert not {character for piece in pieces for character in piece if ord(character) < 32 or character == "\u202e"}


async def test_an_error_is_told_and_the_log_is_asked_for_again_from_where_it_was(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.widgets.logs.pane.AGAIN_S", 0.2)
    problem = {"problem": {"kind": "EngineError", "detail": "Docker is away.", "remedy": ""}}
    api.gives_text("GET", FOLLOW, lines(line(1, "first"), problem))
    async with opened(api) as (pilot, pane):
        await until(pilot, "first", "Docker is away. It is tried again.")
        api.gives_text("GET", FOLLOW, lines(line(1, "first"), line(2, "second")))
        await until(pilot, "second")
        await pilot.pause(0.2)
        assert pane.view.shown()[:2] == ["first", "second"]

    assert api.requests("GET", FOLLOW)[1].query["since"].startswith("2026-11-28T08:00:01")


async def test_sixty_columns_have_room_for_what_matters(api: FakeApi) -> None:
    async with opened(api, (60, 20)) as (pilot, _):
        text = await until(pilot, "line 199", "following")

    assert all(len(one) <= 60 for one in text.splitlines())


async def test_so_many_lines_are_kept_and_a_key_draws_only_those_on_the_screen(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(api, (120, 40)) as (pilot, pane):
        await until(pilot, "line 199")
        pane.view.add(entries(range(MOST_LINES + 500)))
        assert len(pane.view) == MOST_LINES
        pane.view.search("9 more")
        await pilot.pause()
        count = 0

        def counted(*arguments: Any, **named: Any) -> list[Segment]:
            nonlocal count
            count += 1
            return drawn(*arguments, **named)

        monkeypatch.setattr("panel.widgets.logs.view.drawn", counted)
        await pilot.press("n")
        await pilot.pause()

    assert 0 < count <= 4 * 40


async def test_lines_that_are_dropped_at_the_top_move_nothing_that_is_read(api: FakeApi) -> None:
    async with opened(api) as (pilot, pane):
        await until(pilot, "line 199")
        pane.view.add(entries(range(MOST_LINES - 200)))
        await pilot.pause()
        await pilot.press("pageup", "pageup")
        before = pane.view.shown()
        pane.view.add(entries(range(100)))
        await pilot.pause()
        assert pane.view.shown() == before


def entries(numbers: Iterable[int]) -> list[LogEntry]:
    return [LogEntry(text=f"{number} more", container="shop-blue-d2") for number in numbers]
