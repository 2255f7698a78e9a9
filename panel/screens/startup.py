"""The notice at the start of a session: the update that is available, with its first changes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line
from panel.client.update_model import Update
from panel.text.changelog import headlines
from panel.text.counted import counted
from panel.text.shortened import shortened

SHOWN = 3
"""Changes that the notice lists."""
LONGEST_NAME = 60
UPDATE, DETAILS, SKIP = "update", "details", ""
"""What the person wants: the results of the screen."""


class StartupScreen(ModalScreen[str]):
    """`also`: the other apps that have an update, with their versions. U is offered with `may_install` only. Its result
    is what the person wants. Any other key skips it, too, and is then the dashboard's."""

    BINDINGS = [
        Binding("u,U", "want('update')", "Update now", key_display="U", tooltip="Ask, and install the update"),
        Binding("d,D", "want('details')", "Details", key_display="D", tooltip="Show what the update changes"),
        Binding("enter,escape", "want('')", "Skip", tooltip="Go on to the dashboard; the banner keeps the update"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(
        self,
        release: str,
        app_shown: str,
        update: Update,
        also: tuple[tuple[str, str], ...] = (),
        *,
        may_install: bool = True,
    ) -> None:
        super().__init__()
        self._may_install = may_install
        self._release = release
        self._app_shown = app_shown
        self._update = update
        self._also = also
        self.passed_on = ""
        """The key that is the dashboard's."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -notice") as dialog:
            dialog.border_title = Text(f"CHANGEOVER {one_line(self._release)}")
            yield Static(Group(*self._lines()))
            key = "[U] to update now" if self._may_install else "[D] for details"
            yield Static(Text(f"Press {key}, or [Enter] to skip"), classes="question")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """U is there for those who may install it."""
        wants_update = action == "want" and parameters == (UPDATE,)
        return self._may_install if wants_update else super().check_action(action, parameters)

    def _lines(self) -> Iterable[RenderableType]:
        version = shortened(one_line(self._update.version), LONGEST_NAME)
        yield Text.assemble("🆕 Update available: ", (f"{one_line(self._app_shown)} {version}", "bold"))
        for line in headlines(self._update.changes, SHOWN):
            yield Text(f"   • {line}", no_wrap=True, overflow="ellipsis")
        more = len(self._update.changes) + self._update.changes_left_out - SHOWN
        if more > 0:
            yield Text(f"   {counted(more, 'more change')}: [D] lists {'it' if more == 1 else 'them'}.", "dim")
        if self._also:
            yield Text()
            named = ", ".join(f"{one_line(app)} {shortened(one_line(version), 30)}" for app, version in self._also)
            yield Text(f"Also available: {named}", "dim")

    def on_key(self, event: Key) -> None:
        """A key comes here before it is looked for among the bindings."""
        if event.is_printable and event.key not in self.active_bindings:
            event.stop()
            self.passed_on = event.key
            self.dismiss(SKIP)

    def action_want(self, what: str) -> None:
        self.dismiss(what)
