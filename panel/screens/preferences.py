"""The preferences: each change is seen at once, and saved with the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from border.plain import one_line
from panel.clock import utc_now
from panel.preferred import Preferred
from panel.session.preferences import DARK, LIGHT, NO_COLOUR, Density, Hours, Preferences
from panel.widgets.choice import Choice

PREFERENCES_KEY = Binding(
    "comma",
    "preferences",
    "Preferences",
    key_display=",",
    tooltip="Choose theme, density, 24 or 12 hours, and whether notices are shown",
)
THEMES = {DARK: "Dark", LIGHT: "Light", NO_COLOUR: "No colour"}
NOTICES_SAY = "Notices tell of updates and alerts."
NO_COLOR_SAYS = "NO_COLOR is set: each theme is shown without colours."


@dataclass(frozen=True)
class Preference:
    """One of the preferences: its name, how its values are called, and the values themselves."""

    field: str
    name: str
    called: tuple[str, ...]
    values: tuple[Any, ...]  # Any: as the field has it


def choices(now: Preferences) -> Sequence[Preference]:
    """All of them. A theme of the palette is among the themes as long as it is the one in use."""
    themes = THEMES if now.theme in THEMES else THEMES | {now.theme: now.theme}
    return (
        Preference("theme", "Theme", tuple(themes.values()), tuple(themes)),
        Preference("density", "Density", ("Comfortable", "Compact"), (Density.COMFORTABLE, Density.COMPACT)),
        Preference("hours", "Times", ("24 h (14:05)", "12 h (2:05 PM)"), (Hours.TO_24, Hours.TO_12)),
        Preference("notices", "Notices", ("On", "Off"), (True, False)),
    )


class PreferencesScreen(ModalScreen[None]):
    BINDINGS = [
        # Before the dialog, which would scroll.
        Binding("up,k", "app.focus_previous", "Before", False, "↑", priority=True, tooltip="The preference above"),
        Binding("down,j", "app.focus_next", "Next", False, "↓", priority=True, tooltip="The preference below"),
        Binding("escape,comma,q,Q", "close", "Close", key_display="Esc", tooltip="Go back; what was chosen is saved"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]
    DEFAULT_CSS = "PreferencesScreen Choice { margin-bottom: 1; } PreferencesScreen .keys { margin-top: 1; }"

    def __init__(self, app: Preferred) -> None:
        super().__init__()
        self._preferring = app
        self._choices = choices(app.preferences)

    def compose(self) -> ComposeResult:
        now = self._preferring.preferences
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = "PREFERENCES"
            for one in self._choices:
                yield Choice(one.name, one.called, one.values.index(getattr(now, one.field)), one.field)
            yield Static(NOTICES_SAY, markup=False)
            yield Static(Text(self._zone_in_words()))
            if self._preferring.no_color:
                yield Static(NO_COLOR_SAYS, markup=False)
            yield Static("\\[↑↓←→] Choose  │  \\[Esc] Close", classes="keys")

    def on_mount(self) -> None:
        self.set_focus(self.query(Choice).first())

    def on_choice_chosen(self, event: Choice.Chosen) -> None:
        one = next(one for one in self._choices if one.field == event.choice.id)
        now = self._preferring.preferences.model_copy(update={one.field: one.values[event.number]})
        self._preferring.prefer(now)

    def _zone_in_words(self) -> str:
        zone = self._preferring.zone or f"{self._preferring.times.local(utc_now()):%Z}"
        return f"Times are in the time zone {one_line(str(zone))}."

    def action_close(self) -> None:
        self.dismiss()


class PreferencesKey(Screen[None]):
    """A screen with the key that opens the preferences."""

    def action_preferences(self) -> None:
        """Show the preferences."""
        if isinstance(self.app, Preferred):
            self.app.push_screen(PreferencesScreen(self.app))
