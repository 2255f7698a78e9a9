"""The first line of a screen: what this is, how all apps are, and the time."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from border.plain import one_line
from panel.preferred import times_of, when_times_change

GAP = "  "


class TitleLine(Widget):
    """`say` adds what the dashboard knows: one mark for all apps, with words, and the time."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"title-line--{one}" for one in ("well", "warned", "bad", "empty")}
    DEFAULT_CSS = """
    TitleLine { dock: top; height: 1; padding: 0 1; background: $panel; color: $foreground; text-style: bold; }
    TitleLine > .title-line--well, TitleLine > .title-line--empty { color: $text-success; }
    TitleLine > .title-line--warned { color: $text-warning; }
    TitleLine > .title-line--bad { color: $text-error; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._mark, self._says, self._style, self._time = "", "", "", ""
        self._now: datetime | None = None

    def on_mount(self) -> None:
        for shown in (self.app, self.screen):
            for name in ("title", "sub_title"):
                self.watch(shown, name, self._again)
        when_times_change(self, self._say_time)

    def say(self, mark: str, words: str, style: str, now: datetime) -> None:
        """`style` is well, warned, bad or empty; `now` is shown in the viewer's zone, to the minute."""
        self._now = now
        said = (mark, words, style, times_of(self).to_minute(now))
        if said != (self._mark, self._says, self._style, self._time):
            self._mark, self._says, self._style, self._time = said
            self.refresh()

    def _say_time(self) -> None:
        if self._now:
            self.say(self._mark, self._says, self._style, self._now)

    def render(self) -> RenderResult:
        title = self.screen.title if self.screen.title is not None else self.app.title
        under = self.screen.sub_title if self.screen.sub_title is not None else self.app.sub_title
        left = Text(GAP.join(filter(None, (one_line(title), one_line(under)))), no_wrap=True)
        style = self.get_component_rich_style(f"title-line--{self._style}", partial=True) if self._style else ""
        right = Text.assemble((f"{self._mark} {self._says}", style), GAP, self._time) if self._mark else Text()
        space = self.content_size.width - left.cell_len - right.cell_len
        if space < 1:  # a phone: the mark matters more than the name
            left.truncate(max(0, self.content_size.width - right.cell_len - 1), overflow="ellipsis")
            space = max(0, self.content_size.width - cell_len(left.plain) - right.cell_len)
        return Text.assemble(left, " " * space, right, no_wrap=True)

    def _again(self) -> None:
        if self.is_attached:
            self.refresh()
