"""What a person prefers is chosen by keys, seen at once, and comes back in the next process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from textual._compositor import InlineUpdate
from textual.color import Color
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.events import Event
from panel.client.model import Apps
from panel.readable import LEAST, contrast, readable
from panel.screens.preferences import PreferencesScreen
from panel.screens.startup import StartupScreen
from panel.session.preferences import DARK, LIGHT, NO_COLOUR, Density, Hours, Preferences
from panel.session.state import SessionState
from panel.widgets.banner import UpdateBanner
from panel.widgets.choice import Choice, places
from panel.widgets.events.log import EventLog
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, dashboard, until
from tests.unit.panel.dashboard.test_seen_again import Next

EVERY = ["start", "background", "asked"]
OTHERS = Preferences(theme=LIGHT, density=Density.COMPACT, hours=Hours.TO_12, notices=False)
ALL_OTHERS = ("right", "down", "right", "down", "enter", "down", "space")


def preferred(pilot: Pilot[Any]) -> Preferences:
    assert isinstance(pilot.app, PanelApp)
    return pilot.app.state.preferences


async def opened(pilot: Pilot[Any]) -> None:
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(pilot.app.screen, PreferencesScreen) and "Density" in shown(pilot))


async def test_each_is_changed_by_keys_and_is_in_the_state_of_the_session() -> None:
    async with dashboard() as pilot:
        await opened(pilot)
        assert "● Dark   ○ Light   ○ No colour" in shown(pilot)
        await pilot.press(*ALL_OTHERS)
        await until(pilot, lambda: preferred(pilot) == OTHERS)
        await until(pilot, lambda: "○ Dark   ● Light   ○ No colour" in shown(pilot) and "○ On   ● Off" in shown(pilot))
        await pilot.press("left", "up", "left", "up", "left", "k", "left")
        await until(pilot, lambda: preferred(pilot) == Preferences())
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, PreferencesScreen))


async def test_the_key_is_in_the_palette_and_in_the_help() -> None:
    async with dashboard() as pilot:
        assert "Preferences (,)" in [one.title for one in pilot.app.get_system_commands(pilot.app.screen)]
        await pilot.press("question_mark", "end")
        await until(pilot, lambda: "Preferences" in shown(pilot) and "The preference below" in shown(pilot))


async def test_a_click_chooses_a_value() -> None:
    async with dashboard() as pilot:
        await opened(pilot)
        light = places(("Dark", "Light", "No colour"), 80)[1]
        await pilot.click("#theme", offset=(light.begins, 0))
        await until(pilot, lambda: preferred(pilot).theme == LIGHT)
        await pilot.click("#theme", offset=(0, 0))
        assert preferred(pilot).theme == LIGHT


async def test_they_are_there_again_in_the_next_process_before_its_first_answer() -> None:
    state = SessionState.model_validate_json(SessionState(preferences=OTHERS).model_dump_json())
    panel = Next(state)
    async with panel.run_test(size=(120, 40)):
        assert panel.state.preferences == OTHERS
        assert (panel.theme, panel.has_class("-compact"), panel.times.to_12) == (LIGHT, True, True)


@pytest.mark.parametrize(
    "saved",
    [
        {"theme": "of the next release", "density": "airy", "hours": 10, "notices": "sometimes", "font": "Comic Sans"},
        {"theme": None, "density": {}, "hours": [], "notices": "\x1b]0;x\x07"},
        {"theme": "x" * 100_000},
    ],
)
async def test_what_another_release_calls_otherwise_is_as_in_a_new_session(saved: dict[str, Any]) -> None:
    panel = Next(SessionState.model_validate({"selected": "shop", "preferences": saved}))
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "shop" in shown(pilot))
        assert panel.state.preferences == Preferences()


async def test_a_theme_of_the_palette_is_saved_and_among_the_choices() -> None:
    async with dashboard() as pilot:
        pilot.app.theme = "nord"
        await until(pilot, lambda: preferred(pilot).theme == "nord")
        await opened(pilot)
        assert "○ Dark   ○ Light   ○ No colour   ● nord" in shown(pilot)
        await pilot.press("right")
        await until(pilot, lambda: preferred(pilot).theme == DARK)


def painted(pilot: Pilot[Any]) -> dict[tuple[Color, Color], str]:
    """The colours of text and background that the screen is painted with, each with a text that has them."""
    screen = pilot.app.screen
    drawn = screen._compositor.render_inline(screen.size, screen_stack=pilot.app._background_screens)
    assert isinstance(drawn, InlineUpdate)
    return {
        (Color.from_rich_color(segment.style.color), Color.from_rich_color(segment.style.bgcolor)): segment.text
        for strip in drawn.strips
        for segment in strip
        if segment.style and segment.text.strip()
    }


def colours(pilot: Pilot[Any]) -> set[Color]:
    return {one for pair in painted(pilot) for one in pair}


def is_grey(colour: Color) -> bool:
    return max(colour.rgb) - min(colour.rgb) <= 1


async def test_without_colour_nothing_has_one() -> None:
    async with dashboard() as pilot:
        assert not all(map(is_grey, colours(pilot)))
        await opened(pilot)
        await pilot.press("left")
        await until(pilot, lambda: preferred(pilot).theme == NO_COLOUR and all(map(is_grey, colours(pilot))))
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert all(map(is_grey, colours(pilot)))


@pytest.mark.parametrize("tab", ["1", "2", "3", "4", "5", "6"])
async def test_all_that_a_light_dashboard_says_can_be_read(tab: str) -> None:
    async with dashboard() as pilot:
        assert isinstance(pilot.app, PanelApp)
        for event in (*answers.Events().steps("d42", "prepare", "build").all, *answers.Events().add("disk_low").all):
            pilot.app._dashboard.take(Event.model_validate(event))
        await pilot.press(tab, "comma", "right", "escape")
        await until(pilot, lambda: preferred(pilot).theme == LIGHT and "PREFERENCES" not in shown(pilot))
        await pilot.pause(0.2)
        faint = {text: contrast(*pair) for pair, text in painted(pilot).items() if contrast(*pair) < LEAST}
        assert not faint


@pytest.mark.parametrize("colour", ["#ffffff", "#00d700", "#ffff00", "#e0e0e0", "#000000", "#808080"])
@pytest.mark.parametrize("background", ["#e0e0e0", "#ffffff", "#003054", "#808080"])
def test_each_colour_becomes_readable_and_one_that_is_stays(colour: str, background: str) -> None:
    before, under = Color.parse(colour), Color.parse(background)
    found = readable(before, under)

    assert contrast(found, under) >= LEAST
    assert (found == before) is (contrast(before, under) >= LEAST)


async def test_no_color_wins_over_each_theme_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with dashboard() as pilot:
        await opened(pilot)
        assert "NO_COLOR is set" in shown(pilot)
        await pilot.press("right")
        await until(pilot, lambda: preferred(pilot).theme == LIGHT)
        assert all(map(is_grey, colours(pilot)))


class WithUpdate(Host):
    async def status(self) -> Apps:
        return Apps.model_validate({"apps": [answers.app(update=answers.update(), notify_of=EVERY)]})


async def test_a_compact_dashboard_has_more_rows() -> None:
    async with dashboard(host=WithUpdate()) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, StartupScreen))
        await pilot.press("escape")
        banner = pilot.app.screen_stack[1].query_one(UpdateBanner)
        assert banner.size.height == 1
        assert banner.outer_size.height == 3
        await opened(pilot)
        await pilot.press("down", "right", "escape")
        await until(pilot, lambda: banner.outer_size.height == 1)


def update_found() -> Event:
    return Event.model_validate(answers.Events().add("update", version="v1.1.0", found_by="background").all[0])


@pytest.mark.parametrize("notices", [True, False])
async def test_notices_of_updates_and_alerts_can_be_switched_off(notices: bool) -> None:
    state = SessionState(preferences=Preferences(notices=notices))
    panel = Next(state)
    outage = answers.Events().add("outage", version="v1", health="stopped", cause="It exits.").all[0]
    async with panel.run_test(size=(120, 40), notifications=True) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "shop" in shown(pilot))
        panel.client = WithUpdate()
        panel._take(update_found())
        panel._take(Event.model_validate(outage | {"at": NOW.isoformat()}))
        await panel._ask_for_apps()
        await pilot.pause(0.3)
        told = " ".join(f"{one.title} {one.message}" for one in panel._notifications)
        assert ("Update available" in told, "It exits." in told) == (notices, notices), told


async def test_no_update_is_announced_at_the_start_without_notices() -> None:
    panel = Quiet()
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "Update available" in shown(pilot))
        await pilot.pause(0.1)
        assert not isinstance(panel.screen, StartupScreen)


class Quiet(PanelApp):
    def __init__(self) -> None:
        super().__init__(WithUpdate(), clock=lambda: NOW)

    def on_ready(self) -> None:
        self.begin(SessionState(preferences=Preferences(notices=False)))


async def written_anew(act: Callable[[Pilot[Any]], Awaitable[None]], before: str, after: str) -> None:
    """What says `before` says `after` when hours are counted to 12, and `before` again."""
    async with dashboard() as pilot:
        await act(pilot)
        await until(pilot, lambda: before in shown(pilot))
        await pilot.press("comma", "down", "down", "right", "escape")
        await until(pilot, lambda: after in shown(pilot) and before not in shown(pilot))
        await pilot.press("comma", "down", "down", "right", "escape")
        await until(pilot, lambda: before in shown(pilot) and after not in shown(pilot))


async def test_an_event_is_written_anew_when_the_hours_are_counted_otherwise() -> None:
    at = NOW + timedelta(hours=1, minutes=2, seconds=3)
    event = update_found().model_copy(update={"at": at})

    async def happens(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, PanelApp)
        pilot.app._dashboard.take(event)
        line = Event.model_validate(answers.Events().add("line", "d42", line="built").all[0])
        for _ in range(EventLog.MAX_LINES):
            pilot.app._dashboard.query_one("#events", EventLog).take(line)

    local = at.astimezone()
    await written_anew(happens, f"{local:%H:%M:%S}", f"{local.hour % 12 or 12}:{local:%M:%S} {local:%p}")


async def test_the_title_and_the_cards_are_written_anew() -> None:
    async def nothing(_pilot: Pilot[Any]) -> None:
        return

    local = NOW.astimezone()
    await written_anew(nothing, f"{local:%H:%M} \n", f"{local.hour % 12 or 12}:{local:%M %p} \n")
    since = (NOW - timedelta(hours=3)).astimezone()
    await written_anew(nothing, f"live since {since:%Y-%m-%d %H:%M} ", f"{since.hour % 12 or 12}:00 {since:%p} ")


@pytest.mark.parametrize("width", [20, 40, 42, 43, 60, 120])
def test_values_stand_beside_each_other_or_below(width: int) -> None:
    values = ("Dark", "Light", "No colour")
    found = places(values, width)

    assert len(found) == len(values)
    assert all(one.ends <= width for one in found)
    assert len({one.line for one in found}) == (1 if width >= 43 else 3)


async def test_a_phone_shows_every_value_and_the_keys() -> None:
    async with dashboard(40, 24) as pilot:
        await opened(pilot)
        picture = shown(pilot)
        assert all(one in picture for one in ("Dark", "No colour", "Compact", "12 h (2:05 PM)", "[Esc] Close"))
        await pilot.press("up")
        await until(
            pilot, lambda: bool(pilot.app.focused) and pilot.app.focused == pilot.app.screen.query(Choice).last()
        )
        await until(pilot, lambda: "○ Off" in shown(pilot))
