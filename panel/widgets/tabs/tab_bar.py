"""The line of an app's tabs: each has the digit that opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import RenderResult
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from panel.text.shortened import shortened

GAP = "  "
SHORTEST = 3
"""Letters of a tab's name in the narrowest bar."""


@dataclass(frozen=True)
class Tab:
    """`key` is the digit that opens it, and `id` what the state of a session calls it."""

    key: str
    id: str
    name: str


class TabBar(Widget):
    """The app's name, then its tabs, as long as there is room for; the active one is marked by brackets as well."""

    class Chosen(Message):
        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-bar--active", "tab-bar--app"}
    DEFAULT_CSS = """
    TabBar { height: 1; padding: 0 1; color: $text-muted; background: $surface; }
    TabBar > .tab-bar--active { color: $text; text-style: bold; }
    TabBar > .tab-bar--app { color: $text; text-style: bold; }
    """

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__()
        self._tabs = tuple(tabs)
        self._app = ""
        self._active = self._tabs[0].id

    def show(self, app: str, active: str) -> None:
        if (app, active) != (self._app, self._active):
            self._app, self._active = app, active
            self.refresh()

    def render(self) -> RenderResult:
        active = self.get_component_rich_style("tab-bar--active", partial=True)
        parts = []
        for tab, label in zip(self._tabs, self._labels(), strict=True):
            parts.append(Text(label, active if tab.id == self._active else Style()))
        return Text(GAP).join(parts)

    def on_click(self, event: Click) -> None:
        ends = 1
        for tab, label in zip(self._tabs, self._labels(), strict=True):
            begins, ends = ends, ends + cell_len(label)
            if begins <= event.x < ends:
                self.post_message(self.Chosen(tab.id))
                return
            ends += len(GAP)

    def _labels(self) -> list[str]:
        """As long as fit: all names, or the active one's name, the others cut, or their digits alone."""
        for longest in (99, 8, 6, 4, SHORTEST, 0):
            labels = [self._label(tab, longest) for tab in self._tabs]
            if sum(map(cell_len, labels)) + len(GAP) * (len(labels) - 1) <= self.content_size.width:
                return labels
        return [f"[{tab.key}]" if tab.id == self._active else tab.key for tab in self._tabs]

    def _label(self, tab: Tab, longest: int) -> str:
        if tab.id == self._active:
            return f"[{tab.key} {tab.name}]"
        return f"{tab.key} {shortened(tab.name, longest)}".rstrip()
