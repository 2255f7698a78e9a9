"""The overview: a mark at each switch, what each container uses, and how far back its plots go."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from textual.app import App, ComposeResult

from panel.client.traffic_model import AppTraffic, ContainerTraffic, Switch
from panel.screens.dashboard import DashboardScreen
from panel.widgets.apps.numbers import rate
from panel.widgets.overview.figures import POINTS, figures, joined, thinned
from panel.widgets.overview.pane import AGAIN_S, SPANS_S
from panel.widgets.overview.usage import usage
from panel.widgets.plots.plot import Figure, Mark, Plot, Series
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, dashboard, until
from tests.unit.panel.dashboard.test_seen_again import Next, saved

MIB = 2**20
TO_GREEN = Switch(at=NOW - timedelta(seconds=300), version="v1.1.0", colour="green")


def traffic(begins_s: int, ends_s: int, containers: dict[str, str], *switches: Switch) -> AppTraffic:
    """A value a second, from so many seconds ago to so many, which is the number of seconds."""
    ages = range(begins_s, ends_s, -1)
    values = tuple(float(age) for age in ages)
    return AppTraffic(
        app="shop",
        step=1,
        at=tuple(NOW - timedelta(seconds=age) for age in ages),
        requests=values,
        switches=switches,
        containers={
            name: ContainerTraffic(colour=colour, cpu=values, memory=values) for name, colour in containers.items()
        },
    )


class Measured(Host):
    """A shop whose container is known, and that went to green in between. `asked`: since when, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int | datetime] = []

    async def app_traffic(self, app: str, since: int | datetime = 600) -> AppTraffic:
        self.asked.append(since)
        step = {SPANS_S[1]: 10, SPANS_S[2]: 60}.get(since, 1) if isinstance(since, int) else 1
        used = {
            "shop-blue": ContainerTraffic(colour="blue", cpu=(0.5, 0.034), memory=(180.0 * MIB, 145.0 * MIB)),
            "shop-worker": ContainerTraffic(colour="blue", cpu=(0.0, 0.0), memory=(9.0 * MIB, 9.0 * MIB)),
        }
        at = (NOW - timedelta(seconds=step), NOW)
        return AppTraffic(app=app, step=step, at=at, requests=(7.0, 42.0), switches=(TO_GREEN,), containers=used)


async def test_the_overview_marks_a_switch_by_the_letter_of_its_colour_and_its_version() -> None:
    async with dashboard(host=Measured()) as pilot:
        await until(pilot, lambda: "G v1.1.0" in shown(pilot) and "CPU 3.4%" in shown(pilot))
        await until(pilot, lambda: shown(pilot).count("10 min ago") == 3)  # also where the cards have grown


async def test_the_overview_says_what_each_container_uses_now_and_at_most() -> None:
    async with dashboard(columns=160, host=Measured()) as pilot:
        await until(pilot, lambda: "CPU 3.4% (most 50%), memory 145.0 MiB (most 180.0 MiB)" in shown(pilot))
        lines = shown(pilot).splitlines()
        active = next(number for number, line in enumerate(lines) if "Active" in line)
        assert any("CPU 3.4%" in line for line in lines[active : active + 4]), "it stands below its release"
        assert "shop-worker (blue): CPU 0%, memory 9.0 MiB" in shown(pilot)


async def test_where_there_is_little_room_what_is_used_now_is_left() -> None:
    async with dashboard(columns=80, host=Measured()) as pilot:
        await until(pilot, lambda: "CPU 3.4%, memory 145.0 MiB" in shown(pilot))


async def test_t_shows_6_hours_then_7_days_then_10_minutes_again() -> None:
    host = Measured()
    async with dashboard(host=host) as pilot:
        for span_s, says in ((SPANS_S[1], "6 h ago"), (SPANS_S[2], "7 d ago"), (SPANS_S[0], "10 min ago")):
            await pilot.press("t")
            await until(pilot, lambda says=says: says in shown(pilot))  # type: ignore[misc]
            assert host.asked[-1] == span_s, "a long time is asked for as a whole"
        assert AGAIN_S[SPANS_S[2]] > AGAIN_S[SPANS_S[1]] > AGAIN_S[SPANS_S[0]]


async def test_the_key_is_offered_only_where_the_plots_are() -> None:
    async with dashboard(columns=200) as pilot:
        await until(pilot, lambda: "T Time" in shown(pilot))
        await pilot.press("2")
        await until(pilot, lambda: "T Time" not in shown(pilot))
        await pilot.press("t", "1")
        await until(pilot, lambda: "10 min ago" in shown(pilot))
        await pilot.press("t", "2", "1")
        await until(pilot, lambda: "6 h ago" in shown(pilot))


async def test_another_process_goes_on_with_the_time() -> None:
    state = await saved("t")
    assert state.dashboard.span_s == SPANS_S[1]

    panel = Next(state)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "6 h ago" in shown(pilot))


async def test_a_time_of_another_release_is_left_out() -> None:
    async with dashboard() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DashboardScreen)
        screen.show_span(12345)
        assert screen.span_s == SPANS_S[0]


def test_the_newest_numbers_are_added_with_their_switches_and_containers() -> None:
    before = traffic(600, 10, {"blue": "blue", "old": "blue"}, TO_GREEN)
    newer = traffic(20, 0, {"blue": "blue", "new": "green"}, Switch(at=NOW, version="v2", colour="blue"))

    found = joined(before, newer, 600)

    assert found.requests == tuple(float(age) for age in range(600, 0, -1))
    assert [one.version for one in found.switches] == ["v1.1.0", "v2"]
    assert found.containers["blue"].memory == found.requests
    assert found.containers["new"].cpu == (None,) * 590 + tuple(float(age) for age in range(10, 0, -1))
    assert "old" not in found.containers


def test_a_switch_from_before_the_time_that_is_shown_goes() -> None:
    before = traffic(600, 300, {}, Switch(at=NOW - timedelta(seconds=500), version="v0", colour="blue"))

    found = joined(before, traffic(300, 0, {}), 400)

    assert found.switches == ()
    assert figures(found, 400)[0].marks == ()


def test_of_many_values_the_newest_and_each_peak_are_kept() -> None:
    values = tuple(float(second % 1000) for second in range(9_000))

    found = thinned(values, 10_080)

    assert len(found) == POINTS
    assert found[0] is None, "what was before the first value is not known"
    assert found[-1] == values[-1]
    assert max(one for one in found if one is not None) == 999


def test_a_container_of_which_nothing_is_known_is_left_out() -> None:
    nothing = ContainerTraffic(colour="blue", cpu=(None, None), memory=(None, None))
    lately = ContainerTraffic(colour="green", cpu=(0.1, None), memory=(2.0 * MIB, None))

    found = usage(AppTraffic(app="shop", step=1, containers={"a": nothing, "b": lately}))

    assert [(one.container, one.now_and_most) for one in found] == [("b", "CPU – (most 10%), memory – (most 2.0 MiB)")]


class Plotted(App[None]):
    def compose(self) -> ComposeResult:
        yield Plot("Requests/s")


@pytest.mark.parametrize("value", [0.0, 5.0])
async def test_a_letter_is_never_hidden_and_hides_no_other(value: float) -> None:
    """A line at the top leaves no room for versions; marks beside each other leave none for the older one's."""
    marks = (Mark(0.5, "v1.0.0", "B"), Mark(0.54, "v1.1.0", "G"), Mark(1.0, "v1.2.0", "B"))
    app = Plotted()
    async with app.run_test(size=(60, 8)) as pilot:
        lines = (Series("", (value,) * 200), Series("", (9.0, *(0.0,) * 199)))
        app.query_one(Plot).show(Figure("Requests/s", lines[: 1 if value else 2], rate, "10 min", marks))
        await pilot.pause()
        top = shown(pilot).splitlines()[1]

    assert top.count("B") == 2
    assert top.count("G") == 1
    assert ("v1.1.0" in top, "v1.2.0" in top) == ((False, False) if value else (True, True))
