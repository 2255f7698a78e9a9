"""The panel as a Textual app. It shows the data of the orchestrator's API, and stores no data of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from rich.traceback import Traceback
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.client.events import Event, EventKind
from panel.client.model import App as AppView
from panel.client.settings import configured_token, configured_url
from panel.clock import Clock, utc_now
from panel.console.memory import Memory
from panel.refresh import Refresh
from panel.screens.dashboard import DashboardScreen
from panel.screens.help import HelpScreen
from panel.screens.progress import ProgressScreen
from panel.session.conversation_file import ConversationFile
from panel.session.state import SessionState
from panel.session.state_folder import state_folder
from panel.text.alert_toast import alert_toast
from panel.text.resumed import DONE, resumed
from panel.version import is_deployed, release

PANEL = "panel"
"""The name of the panel as an app."""
TERMINATED = 128 + signal.SIGTERM
REFRESH_S = 5.0
"""The interval at which health and ages are refreshed, in seconds. Everything else comes with the event stream."""
STALE_S = 3 * REFRESH_S
"""What is shown is said to be old when no answer has come for so long."""
RECENT_EVENTS = 100
TOLD_WITHIN_S = 30.0
"""An alert that is older is no news."""
STREAM = "stream"
"""The group of the worker that follows the events."""
LAST_FEW = 5
"""Deployments in which the one is looked for that brought the release that is live."""
PALETTE = Binding("ctrl+p", "command_palette", "Palette", tooltip="Open the command palette: theme, screenshot")
"""Textual adds it to every app."""
CHANGES_APPS = frozenset(
    {
        EventKind.QUEUED,
        EventKind.STARTED,
        EventKind.STEP,
        EventKind.LIVE,
        EventKind.ENDED,
        EventKind.FAILED,
        EventKind.CANCELLED,
        EventKind.UNCHANGED,
        EventKind.HEALTH,
        EventKind.UPDATE,
        EventKind.DISMISSED,
        EventKind.SKIPPED,
        EventKind.CONFIG_LOADED,
        EventKind.MUTED,
        EventKind.UNMUTED,
    }
)
"""The kinds of events after which the apps are requested again."""


class PanelApp(App[int]):
    CSS_PATH = Path(__file__).parent / "panel.tcss"
    TITLE = "CHANGEOVER"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", tooltip="Show the keys of every screen", key_display="?"),
        Binding("q,Q", "quit", "Quit", key_display="Q", tooltip="Quit the panel; deployments go on"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, tooltip="Quit, from a question, too"),
    ]

    def __init__(self, client: Client, clock: Clock = utc_now, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.client = client
        self.clock = clock
        self.sub_title = release()
        self.memory = Memory(client, lambda: self.state.model_dump(mode="json"))
        self._dashboard = DashboardScreen(client, clock, self.memory)
        self._apps = Refresh(self._load, clock, STALE_S)
        self._started = False
        self.restored = asyncio.Event()
        """Set when the app continues where the state was, with what the orchestrator has answered."""
        self.caught_up = asyncio.Event()
        """Set by the first event. The recent ones come together."""
        self._after: int | None = None
        """The last event that was taken."""
        self._shown: tuple[AppView, ...] = ()
        self._told = ""
        """The error that was told last, of those since the last answer."""

    def _fatal_error(self) -> None:
        """Textual's own prints the values of local variables, such as the token."""
        self.panic(Traceback(show_locals=False, width=None))

    def on_mount(self) -> None:
        self.push_screen(self._dashboard)

    def action_help(self) -> None:
        """Show the keys, unless they are shown already."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen([*PanelApp.BINDINGS, PALETTE], self.screen))

    def action_show_help_panel(self) -> None:
        """What the command palette has as Keys."""
        self.action_help()

    def begin(self, state: SessionState | None = None) -> None:
        """Connect, and continue where `state` was."""
        if self._started:
            return
        self._started = True
        self._restore(state)
        self._follow()
        self.set_interval(REFRESH_S, self._refresh)
        self.set_interval(REFRESH_S, self._say_if_stale)

    def on_ready(self) -> None:
        if not self.is_web:
            self.begin()

    @property
    def state(self) -> SessionState:
        """What is shown now, so that the next release can continue there."""
        following = next((screen for screen in self.screen_stack if isinstance(screen, ProgressScreen)), None)
        return SessionState(
            release=release(),
            selected=self._dashboard.selected,
            following_app=following.app_name if following else "",
            deployment=following.deployment if following else "",
        )

    @work
    async def _restore(self, state: SessionState | None) -> None:
        await self._ask_for_apps()
        if not self.is_running:
            return
        if state is not None:
            self._dashboard.select(state.selected)
            if state.deployment:
                self.push_screen(ProgressScreen(self.client, state.following_app, state.deployment, self.clock))
        self.restored.set()
        if state is not None and state.release != release():
            self.notify(await self._what_happened(state.release), timeout=8, markup=False)

    async def _what_happened(self, before: str) -> str:
        """Why the session goes on in another release than that in which it was saved."""
        newest = None
        with suppress(ClientError):  # a token for another app may not know
            found = await self.client.history(PANEL, limit=LAST_FEW)
            newest = next((one for one in found.deployments if one.version == release() and one.state in DONE), None)
        panel = next((app for app in self._shown if app.name == PANEL), None)
        return resumed(before, release(), panel, newest)

    def follow_again(self) -> None:
        """Follow the event stream from where it was left, and ask for the apps."""
        if self._started:
            self._follow()
            self._refresh()

    def stop_following(self) -> None:
        """Nobody looks: no event is taken until `follow_again`."""
        self.workers.cancel_group(self, STREAM)

    @work(group=STREAM, exclusive=True)
    async def _follow(self) -> None:
        """Follow the event stream. After events that change an app, request the apps again.

        A stream that cannot be opened now, as when the token may have no further one, is asked for again.
        """
        told = ""
        while True:
            try:
                async for event in self.client.events(self._after, recent=RECENT_EVENTS):
                    told, self._after = "", event.id
                    self._take(event)
                    self.caught_up.set()
            except NotSignedIn as error:
                self.signed_out(error)
                return
            except ClientError as error:
                if str(error) != told:
                    self.notify(str(error), severity="error", timeout=30, markup=False)
                    told = str(error)
            await asyncio.sleep(REFRESH_S)

    def signed_out(self, error: NotSignedIn) -> None:
        """The token was revoked or has expired."""
        self._tell_once(error, timeout_s=30)

    def _tell_once(self, error: ClientError, timeout_s: float) -> None:
        """Not again before there was another answer: it is asked every few seconds."""
        if str(error) != self._told:
            self._told = str(error)
            self.notify(str(error), severity="error", timeout=timeout_s, markup=False)

    def _take(self, event: Event) -> None:
        self._dashboard.take(event)
        if (told := alert_toast(event)) and (self.clock() - event.at).total_seconds() < TOLD_WITHIN_S:
            self._tell_alert(event.app, *told)
        if event.kind in CHANGES_APPS:
            self._refresh()

    @work
    async def _tell_alert(self, app: str, says: str, is_bad: bool) -> None:
        """A toast for what happens now, once it is known which apps are muted."""
        await self._dashboard.loaded()
        if not any(one.name == app and one.is_muted(self.clock()) for one in self._shown):
            self.notify(one_line(says), severity="error" if is_bad else "information", timeout=10, markup=False)

    @work(group="refresh")
    async def _refresh(self) -> None:
        await self._ask_for_apps()

    async def _ask_for_apps(self) -> None:
        try:
            await self._apps.again()
        except NotSignedIn as error:
            self.signed_out(error)
        except ClientError as error:
            self._tell_once(error, timeout_s=10)
        self._say_if_stale()

    async def _load(self) -> None:
        found = await self.client.status()
        self._told, self._shown = "", found.apps
        self._dashboard.show(found.apps)
        self._name_live_version(found.apps)
        self._dashboard.warn(found)

    def _say_if_stale(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DashboardScreen | ProgressScreen):
                screen.warn_of_age(self._apps.stale)

    def _name_live_version(self, apps: Sequence[AppView]) -> None:
        """In a terminal, the title has the version that is live, as `status` says it, not that of the local files."""
        live = next((app.active.version for app in apps if app.name == PANEL and app.active), "")
        if live and not is_deployed():
            self.sub_title = live


def run_in_terminal() -> int:
    """Run the panel in this terminal until the person quits, or until SIGTERM, which would leave the terminal as the
    panel needs it. Returns the exit code. Raises NotSignedIn when the token cannot be read."""
    # Imported here: the panel in the browser has another driver.
    from panel.keys.terminal_driver import TerminalDriver

    # Textual uses these instead of the terminal's real size.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    client = Client(configured_url(), configured_token())
    app = PanelApp(client, driver_class=TerminalDriver)
    app.memory.turns = ConversationFile(state_folder(), client.url)

    async def until_it_ends() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit, None, TERMINATED)
        await app.run_async()

    asyncio.run(until_it_ends())
    return app.return_code or 0
