"""The reload of the panel: what was done, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from panel.session.state import Reload

SAVING, STARTING, RESTORING = "Saving the session's state", "Starting another process", "Restoring what was shown"
WIDTH = 40


class ReloadScreen(ModalScreen[None]):
    """While the state is saved, and again in the next process, with `reload` and the moments at which that process had
    begun and had the picture back."""

    BINDINGS = [
        Binding("enter,escape", "close", "Continue", tooltip="Go on where you were"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(
        self, reload: Reload | None = None, begun: datetime | None = None, back: datetime | None = None
    ) -> None:
        super().__init__()
        self._reload, self._begun, self._back = reload, begun, back

    @property
    def is_complete(self) -> bool:
        return self._back is not None

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -notice") as dialog:
            dialog.border_title = "RELOAD"
            yield Static(Group(*self._lines()))
            if self.is_complete:
                yield Static("\\[Enter] Continue", classes="keys")

    def _lines(self) -> Iterable[Text]:
        if self._reload is None or self._begun is None or self._back is None:
            yield Text("🔄 Reloading the panel…")
            yield Text()
            yield Text(f"• {SAVING}…", "bold")
            yield Text(f"• {STARTING}…", "grey50")
            yield Text(f"• {RESTORING}…", "grey50")
            return
        saved = self._reload.began_at, self._reload.saved_at
        for says, (began, ended) in (
            (SAVING, saved),
            (STARTING, (self._reload.saved_at, self._begun)),
            (RESTORING, (self._begun, self._back)),
        ):
            yield Text.assemble(f"• {says}".ljust(WIDTH), ("✓ ", "green3"), f"{_seconds(began, ended):.1f} s")
        yield Text()
        yield Text(f"✓ Reload complete ({_seconds(self._reload.began_at, self._back):.1f} s)", "bold green3")
        yield Text("Nothing but the panel's own process was restarted.", "grey62")
        yield Text()

    def action_close(self) -> None:
        if self.is_complete:
            self.dismiss()


def _seconds(began: datetime, ended: datetime) -> float:
    return max(0.0, (ended - began).total_seconds())
