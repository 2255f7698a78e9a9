"""The panel as a Textual app: a pure view of what the orchestrator says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from panel.client import Client
from panel.errors import ClientError
from panel.model import Event
from panel.screens.dashboard import DashboardScreen
from panel.screens.progress import ProgressScreen
from panel.session import SessionState
from panel.version import release

REFRESH_S = 5.0
"""How often health and ages are asked for again; what happens in between comes with the event stream."""
RECENT_EVENTS = 100
CHANGES_APPS = (
    "queued",
    "started",
    "step",
    "live",
    "ended",
    "failed",
    "cancelled",
    "update",
    "dismissed",
    "config_loaded",
)


class PanelApp(App[int]):
    CSS_PATH = Path(__file__).parent / "panel.tcss"
    TITLE = "CHANGEOVER"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+q", "quit", show=False, priority=True),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.sub_title = release()
        self._dashboard = DashboardScreen(client)
        self._started = False

    def on_mount(self) -> None:
        self.push_screen(self._dashboard)

    def begin(self, state: SessionState | None = None) -> None:
        """Connect, and go on where `state` was."""
        if self._started:
            return
        self._started = True
        self._watch()
        self.set_interval(REFRESH_S, self._refresh)
        self._restore(state)

    def on_ready(self) -> None:
        if not self.is_web:
            self.begin()

    @property
    def state(self) -> SessionState:
        """What is shown now, for the next release to go on with."""
        following = next((screen for screen in self.screen_stack if isinstance(screen, ProgressScreen)), None)
        return SessionState(
            release=release(),
            selected=self._dashboard.selected,
            following_app=following.app_name if following else "",
            deployment=following.deployment if following else "",
        )

    @work
    async def _restore(self, state: SessionState | None) -> None:
        await self._load()
        if state is None:
            return
        self._dashboard.select(state.selected)
        if state.deployment:
            self.push_screen(ProgressScreen(self.client, state.following_app, state.deployment))
        if state.release != release():
            self.notify(f"✓ Resumed after update to {release()}", timeout=8)

    @work
    async def _watch(self) -> None:
        """Follow the event stream: it says when to ask again."""
        try:
            async for event in self.client.events(recent=RECENT_EVENTS):
                self._take(event)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=30)

    def _take(self, event: Event) -> None:
        self._dashboard.take(event)
        if event.kind in CHANGES_APPS:
            self._refresh()

    @work(exclusive=True, group="refresh")
    async def _refresh(self) -> None:
        await self._load()

    async def _load(self) -> None:
        try:
            self._dashboard.show(await self.client.apps())
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=10)


def run_in_terminal(url: str, token: str) -> None:
    # Textual trusts these over the terminal's real size.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    PanelApp(Client(url, token)).run()
