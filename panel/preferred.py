"""The app's part that applies what a person prefers, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from textual.app import App
from textual.dom import DOMNode
from textual.filter import LineFilter, Monochrome
from textual.reactive import reactive
from textual.theme import Theme

from panel.readable import Readable
from panel.session.preferences import DARK, NO_COLOUR, Density, Hours, Preferences
from panel.text.moments import OWN, Times

COMPACT = "-compact"
"""The class of the app while it leaves out margins; panel.tcss says which."""
WITHOUT_COLOUR = Theme(
    name=NO_COLOUR, primary="#8a8a8a", secondary="#9a9a9a", accent="#d0d0d0", warning="#c0c0c0", error="#b0b0b0",
    success="#d8d8d8", foreground="#e4e4e4", background="#101010", surface="#1c1c1c", panel="#2a2a2a",
)  # fmt: skip
"""What has a colour of its own, such as the output of an app, becomes grey by a filter."""
TO_GREY, TO_READABLE = Monochrome(), Readable()


class Preferred(App[int]):
    """`preferences` may be set at any time. `times` is what widgets write moments with, by `times_of`."""

    preferences: reactive[Preferences] = reactive(Preferences(), init=False)
    zone: reactive[tzinfo | None] = reactive[tzinfo | None](None, init=False)
    """That of the viewer; None: that of the process."""
    times: reactive[Times] = reactive(OWN, init=False)

    def prefer(self, preferences: Preferences) -> None:
        """Apply these. A theme that this release does not have is the dark one."""
        known = preferences.theme in self.available_themes
        self.preferences = preferences if known else preferences.model_copy(update={"theme": DARK})

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        if self.theme == NO_COLOUR:
            return [*filters, TO_GREY]
        return filters if self.current_theme.dark else [*filters, TO_READABLE]

    def on_load(self) -> None:
        self.register_theme(WITHOUT_COLOUR)

    def watch_preferences(self, now: Preferences) -> None:
        self.theme = now.theme
        self.set_class(now.density == Density.COMPACT, COMPACT)
        self.refresh_css(animate=False)
        self._write_times()

    def watch_theme(self, name: str) -> None:
        """The palette changes it, too."""
        self.preferences = self.preferences.model_copy(update={"theme": name})

    def watch_zone(self) -> None:
        self._write_times()

    def _write_times(self) -> None:
        self.times = Times(self.zone, to_12=self.preferences.hours == Hours.TO_12)


def times_of(node: DOMNode) -> Times:
    """How this node writes moments."""
    return node.app.times if isinstance(node.app, Preferred) else OWN


def when_times_change(node: DOMNode, draw: Callable[[], None]) -> None:
    """Call `draw` each time that moments are to be written in another way."""
    if isinstance(node.app, Preferred):
        node.watch(node.app, "times", draw, init=False)
