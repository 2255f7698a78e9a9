"""The first line of a screen."""

from __future__ import annotations

from textual.events import Mount
from textual.widgets import Header
from textual.widgets._header import HeaderTitle


class TitleLine(Header):
    """Textual's header ends the panel if its screen is closed in the moment in which it is opened, as by a second key
    that comes with the first: it looks for its title, which is gone or not there yet."""

    def _on_mount(self, event: Mount) -> None:
        event.prevent_default()
        for shown in (self.app, self.screen):
            for name in ("title", "sub_title"):
                self.watch(shown, name, self._show_title)

    def _show_title(self) -> None:
        if self.is_attached:
            for title in self.query(HeaderTitle):
                title.update(self.format_title())
