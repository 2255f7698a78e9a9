"""The lines that what is typed may go on as, above the console's line."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual_autocomplete import AutoComplete, DropdownItem


class Dropdown(AutoComplete):
    """Tab takes the line under its cursor. Enter takes nothing: what is entered is what was typed."""

    DEFAULT_CSS = """
    Dropdown { max-height: 10; background: $panel; }
    """

    def _listen_to_messages(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            if event.key == "enter":
                self.action_hide()
                return
            if event.key in ("up", "down") and not self.display:
                return  # the lines that were typed before
        super()._listen_to_messages(event)

    def get_search_string(self, target_state: object) -> str:
        return self.target.value[: self.target.cursor_position]

    def get_matches(
        self, target_state: object, candidates: list[DropdownItem], search_string: str
    ) -> list[DropdownItem]:
        """They begin as what is typed."""
        return candidates

    def _align_to_target(self) -> None:
        """Above the line: it stands at the bottom of the screen."""
        x, y = self.target.cursor_screen_offset
        width, height = self.option_list.outer_size
        right = max(0, self.screen.size.width - width)
        self.absolute_offset = Offset(max(0, min(x - self.target.cursor_position, right)), max(0, y - height))
