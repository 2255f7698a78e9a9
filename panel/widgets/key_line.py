"""The last line of a screen: the keys that work there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.events import Click, Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

GAP = 2
"""The spaces between two keys."""


@dataclass(frozen=True)
class KeyHint:
    """A key with a word for what it does. One that is `kept` is shown however narrow the line is."""

    key: str
    shows: str
    word: str
    kept: bool = False

    @property
    def width(self) -> int:
        """In cells, without the gap after it."""
        return cell_len(self.shows) + 1 + cell_len(self.word)


def fitting(keys: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """The keys that a line of this width has room for. Those that stand first are the last to be left out."""
    chosen = list(keys)
    while sum(one.width + GAP for one in chosen) > width + GAP:
        dropped = next((one for one in reversed(chosen) if not one.kept), None)
        if dropped is None:
            break
        chosen.remove(dropped)
    return chosen


class KeyLine(Widget):
    """Textual's footer cuts what does not fit, Quit first. This one leaves out the keys that matter least, which the
    help has, and always shows the keys of the app itself: help and quit."""

    COMPONENT_CLASSES = {"key-line--key"}
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; color: $footer-foreground; background: $footer-background; }
    KeyLine > .key-line--key { color: $footer-key-foreground; text-style: bold; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[KeyHint, ...] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._take)

    def on_resize(self, _event: Resize) -> None:
        self.refresh()

    def _take(self, screen: Screen[Any]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        known: dict[str, KeyHint] = {}
        is_typed = isinstance(screen.focused, Input)
        for node, binding, enabled, _tooltip in screen.active_bindings.values():
            if binding.show and enabled and binding.action not in known:
                shows = self.app.get_key_display(binding)
                if is_typed and len(shows) == 1:
                    if binding.key != "f1":
                        continue  # a character is text there
                    shows = "F1"
                known[binding.action] = KeyHint(binding.key, shows, binding.description, kept=node is self.app)
        self._keys = tuple(known.values())
        self.refresh()

    def render(self) -> RenderResult:
        key_style = self.get_component_rich_style("key-line--key", partial=True)
        keys = (Text.assemble((one.shows, key_style), " ", one.word) for one in fitting(self._keys, self.size.width))
        return Text(" " * GAP).join(keys)

    def on_click(self, event: Click) -> None:
        """Do what the key under the pointer does."""
        ends = 0
        for one in fitting(self._keys, self.size.width):
            begins, ends = ends, ends + one.width
            if begins <= event.x < ends:
                self.app.simulate_key(one.key)
                return
            ends += GAP
