"""The keys of every screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.keys import key_to_character
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from panel.screens.alerts import AlertsScreen
from panel.screens.audit import AuditScreen
from panel.screens.changelog import ChangelogScreen
from panel.screens.confirm import ConfirmScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.details import DetailsScreen
from panel.screens.notices import NoticesScreen
from panel.screens.preferences import PreferencesScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen
from panel.screens.reload import ReloadScreen
from panel.screens.replaced import ReplacedScreen
from panel.screens.startup import StartupScreen
from panel.screens.versions import VersionsScreen

SCREENS: dict[str, type[Screen[Any]]] = {
    "Dashboard, for the selected app": DashboardScreen,
    "Notice of an update, at the start": StartupScreen,
    "Progress of a deployment": ProgressScreen,
    "Details of an update": DetailsScreen,
    "Full changelog": ChangelogScreen,
    "Question before an update [Y/n]": ConfirmScreen,
    "Other questions [y/N]": QuestionScreen,
    "After an update of the panel itself": ReplacedScreen,
    "After a reload": ReloadScreen,
    "Versions of an app": VersionsScreen,
    "Notices of an app": NoticesScreen,
    "Alerts": AlertsScreen,
    "Preferences": PreferencesScreen,
    "Audit log": AuditScreen,
}
OF_LISTS = (
    ("↑ ↓", "Select an app or an entry; scroll"),
    ("PgUp PgDn Home End", "Scroll by a page, to the beginning, to the end"),
    ("Enter", "Go to the tabs of the selected app; open the selected entry"),
    ("Tab", "Go to the next list, such as the events"),
)
"""Keys that lists have."""
NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "f1": "F1",
    "ctrl+q": "Ctrl+Q",
    "ctrl+p": "Ctrl+P",
    "slash": "/",
    "plus": "+",
    "delete": "Del",
}
KEYS_WIDTH = 20


class HelpScreen(ModalScreen[None]):
    """`everywhere` are the keys of the app itself. The keys of the screen `below` stand first."""

    BINDINGS = [
        Binding("escape,enter,question_mark,f1,q,Q", "close", "Close", tooltip="Close this help"),
    ]

    def __init__(self, everywhere: Iterable[BindingType], below: Screen[Any]) -> None:
        super().__init__()
        self._everywhere = tuple(everywhere)
        self._below = below

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall") as dialog:
            dialog.border_title = "KEYS"
            with VerticalScroll():
                yield Static(Group(*self._sections()))
            yield Static(Text("[↑↓] Scroll  │  [Esc] Close"), classes="keys")

    def _sections(self) -> Iterable[RenderableType]:
        first = [title for title, kind in SCREENS.items() if isinstance(self._below, kind)]
        rest = [title for title in SCREENS if title not in first]
        everywhere = [*_rows(self._everywhere), *OF_LISTS]
        sections = [*((title, _rows(SCREENS[title].BINDINGS)) for title in first), ("Everywhere", everywhere)]
        sections += [(title, _rows(SCREENS[title].BINDINGS)) for title in rest]
        for title, rows in sections:
            yield Text(title, "bold underline")
            yield _table(rows)

    def action_close(self) -> None:
        self.dismiss()


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=KEYS_WIDTH, no_wrap=True)
    table.add_column()
    for keys, does in rows:
        table.add_row(Text(f"  {keys}", "bold"), Text(does))
    table.add_row()
    return table


def _rows(bindings: Iterable[BindingType]) -> list[tuple[str, str]]:
    """For each binding its keys, as they stand on a keyboard, and what they do."""
    return [
        (_keys(one), one.tooltip or one.description)
        for one in bindings
        if isinstance(one, Binding) and one.action != "app.help"
    ]


def _keys(binding: Binding) -> str:
    """A letter works in both cases: it is named once, unless the other case is another key."""
    if binding.key_display and len(binding.key_display) > 1:
        return binding.key_display
    keys = (NAMES.get(key) or (key_to_character(key) or key).upper() for key in binding.key.split(","))
    return " or ".join(dict.fromkeys(keys))
