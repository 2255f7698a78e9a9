"""What the panel's web driver and its rest use of Textual's private parts is there, and is what it was."""

from __future__ import annotations

import asyncio
import inspect

from textual._compositor import LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver
from textual.timer import Timer


def test_the_drivers_thread_only_runs_what_the_panel_replaces() -> None:
    made, started = inspect.getsource(WebDriver.__init__), inspect.getsource(WebDriver.start_application_mode)

    assert "target=self.run_input_thread" in made
    assert made.count("Thread(") == 1
    assert "self._key_thread.start()" in started
    assert list(inspect.signature(WebDriver._on_meta).parameters) == ["self", "packet_type", "payload"]


def test_packets_and_keys_are_read_by_the_parsers_that_the_stock_driver_has() -> None:
    (packet,) = ByteStream().feed(b"D\x00\x00\x00\x01x")
    parser = XTermParser()
    keys = [*parser.feed("x"), *parser.tick()]

    assert packet == ("D", b"x")
    assert [getattr(key, "key", "") for key in keys] == ["x"]


async def test_timers_are_listed_and_tell_whether_they_run() -> None:
    app: App[None] = App()
    async with app.run_test():
        running, paused = app.set_interval(60, lambda: None), app.set_interval(60, lambda: None, pause=True)

        assert {running, paused} <= set(app._timers)
        assert (running._active.is_set(), paused._active.is_set()) == (True, False)
        assert isinstance(running._active, asyncio.Event)
        assert isinstance(running, Timer)


async def test_a_whole_picture_of_the_screen_can_be_had_at_once() -> None:
    app: App[None] = App()
    async with app.run_test(size=(20, 5)):
        whole = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)

        assert isinstance(whole, LayoutUpdate)
        assert whole.region.size == (20, 5)
        assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
