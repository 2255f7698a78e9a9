"""While nobody looks at a page, its process paints nothing and no timer runs; then one paint shows what is new."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import Label

from panel.web.rest import Rest


class Ticking(App[None]):
    """Ticks on the app, on a widget and on a screen below another one."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = {"app": 0, "widget": 0}
        self.paints = 0

    def compose(self) -> ComposeResult:
        yield Label("before", id="word")

    def on_mount(self) -> None:
        self.set_interval(0.01, lambda: self.tick("app"))
        self.query_one("#word").set_interval(0.01, lambda: self.tick("widget"))
        self.sleeping = self.set_interval(0.01, lambda: self.tick("sleeping"), pause=True)

    def tick(self, whose: str) -> None:
        self.ticks[whose] = self.ticks.get(whose, 0) + 1

    def post_display_hook(self) -> None:
        self.paints += 1


async def test_nothing_ticks_or_is_painted_while_nobody_looks_and_one_paint_shows_what_is_new() -> None:
    app = Ticking()
    async with app.run_test() as pilot:
        app.push_screen(Screen())
        await pilot.pause(0.05)
        app.pop_screen()
        await pilot.pause(0.05)
        rest = Rest(app)
        rest.begin()
        rest.begin()
        await pilot.pause(0.05)
        before, paints = dict(app.ticks), app.paints
        for number in range(20):
            app.query_one("#word", Label).update(f"after {number}")
            await pilot.pause(0.01)
        meanwhile, painted = dict(app.ticks), app.paints
        rest.end()
        await pilot.pause(0.1)

        assert before["app"] > 0
        assert before["widget"] > 0
        assert meanwhile == before
        assert painted == paints
        assert app.paints > painted
        assert app.ticks["app"] > before["app"]
        assert app.ticks["widget"] > before["widget"]
        assert "sleeping" not in app.ticks, "a timer that was paused before stays so"
        assert "after 19" in "".join(
            segment.text for line in app.screen._compositor.render_strips() for segment in line
        )


async def test_a_rest_that_has_not_begun_has_no_end() -> None:
    app = Ticking()
    async with app.run_test() as pilot:
        Rest(app).end()
        await pilot.pause(0.05)

        assert app.ticks["app"] > 0
