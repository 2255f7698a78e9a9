"""The rest of a page's process while nobody looks at the page: it paints nothing, and no timer wakes it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from textual.app import App
from textual.timer import Timer


class Rest:
    """What changes meanwhile is painted at the end of the rest, once. Used on the app's event loop."""

    def __init__(self, app: App[Any]) -> None:  # Any: whatever the app returns
        self._app = app
        self._batch = ExitStack()
        self._timers: list[Timer] = []
        self.is_on = False

    def begin(self) -> None:
        if self.is_on:
            return
        self.is_on = True
        self._batch.enter_context(self._app.batch_update())
        for timer in _running(self._app):
            timer.pause()
            self._timers.append(timer)

    def end(self) -> None:
        if not self.is_on:
            return
        self.is_on = False
        for timer in self._timers:
            timer.resume()
        self._timers.clear()
        self._batch.close()
        self._app.screen.refresh(layout=True)


def _running(app: App[Any]) -> list[Timer]:
    """The app's timers, and those of its screens and widgets, that are not paused. Textual lists them in private."""
    pumps = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    return [timer for pump in pumps for timer in pump._timers if timer._active.is_set()]
