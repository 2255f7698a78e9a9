"""The panel as a Textual app. It shows the data of the orchestrator's API, and stores no data of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from rich.traceback import Traceback
from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.timer import Timer

from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.client.events import Event, Sample, UpdateFound
from panel.client.model import App as AppView
from panel.clock import Clock, utc_now
from panel.console.memory import Memory
from panel.keys.in_turn import KeysInTurn
from panel.new_versions import NewVersions
from panel.palette import PALETTE, key_commands
from panel.refresh import CHANGES_APPS, Refresh
from panel.reload import KEYS, Reloads
from panel.restart import state_before
from panel.resumption import PANEL, what_happened
from panel.screens.changelog import ChangelogScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.details import DetailsScreen
from panel.screens.help import HelpScreen
from panel.screens.open_question import is_valid, open_question
from panel.screens.progress import ProgressScreen
from panel.screens.seen_again import see_again, seen
from panel.session.state import SessionState
from panel.toasts import Toasts
from panel.version import is_deployed, release

REFRESH_S = 5.0
"""The interval at which health and ages are refreshed, in seconds. Everything else comes with the event stream."""
STALE_S = 3 * REFRESH_S
"""What is shown is said to be old when no answer has come for so long."""
RECENT_EVENTS = 100
STREAM = "stream"
"""The group of the worker that follows the events."""


class PanelApp(KeysInTurn, Reloads, Toasts):
    CSS_PATH = Path(__file__).parent / "panel.tcss"
    TITLE = "CHANGEOVER"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", tooltip="Show the keys of every screen", key_display="?"),
        *KEYS,
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
        self._new_versions = NewVersions(PANEL)
        self._apps = Refresh(self._load, clock, STALE_S, times=lambda: self.times)
        self._started = False
        self.restored = asyncio.Event()
        """Set when the app continues where the state was, with what the orchestrator has answered."""
        self.caught_up = asyncio.Event()
        """Set by the first event. The recent ones come together."""
        self._ticks: Timer | None = None
        self._before: SessionState | None = None
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

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: what Textual has, and every key of the screen below."""
        yield from super().get_system_commands(screen)
        yield from key_commands(self, screen)

    def begin(self, state: SessionState | None = None) -> None:
        """Connect, and continue where `state` was."""
        if self._started:
            return
        self._started, self._begun_at, self._before = True, self.clock(), state
        self._restore(state)
        self._follow()
        self._ask_for_numbers()
        self._ticks = self.set_interval(1.0, self._dashboard.tick)
        self.set_interval(REFRESH_S, self._refresh)
        self.set_interval(REFRESH_S, self._say_if_stale)

    def on_ready(self) -> None:
        if not self.is_web:
            self.begin_in_terminal()

    def begin_in_terminal(self) -> None:
        self.begin(state_before())

    @property
    def state(self) -> SessionState:
        """What is shown now, so that the next release can continue there; until it is restored, what is to be."""
        if self._before is not None and not self.restored.is_set():
            return self._before
        following = next((screen for screen in self.screen_stack if isinstance(screen, ProgressScreen)), None)
        return SessionState(
            release=release(),
            selected=self._dashboard.wanted,
            following_app=following.app_name if following else "",
            deployment=following.deployment if following else "",
            dashboard=seen(self._dashboard),
            preferences=self.preferences,
            told=self._new_versions.told,
            question=open_question(self.screen_stack),
            changelog=self.screen.seen if isinstance(self.screen, ChangelogScreen) else None,
            reload=self._reload,
        )

    @work
    async def _restore(self, state: SessionState | None) -> None:
        if state is not None:
            self.prefer(state.preferences)
            self._new_versions.resume(state.told)
        await self._ask_for_apps()
        if not self.is_running:
            return
        if state is not None:
            self._dashboard.select(state.selected)
            see_again(self._dashboard, state.dashboard)
            if state.deployment:
                self.push_screen(ProgressScreen(self.client, state.following_app, state.deployment, self.clock))
            await self._ask_again(state)
        self.restored.set()
        if state is not None and state.release != release():
            says = await what_happened(self.client, self._shown, state.release)
            self.notify(says, timeout=8, markup=False)

    async def _ask_again(self, state: SessionState) -> None:
        """The question that was open, if it is the same still, and what a reload did."""
        if state.question and is_valid(state.question, self._shown):
            self._dashboard.select(state.question.app)
            await self._dashboard.run_action(state.question.kind)
            if state.changelog and isinstance(self.screen, DetailsScreen):
                self.screen.show_changelog(state.changelog)
        if state.reload:
            self.show_reload(state.reload)

    def follow_again(self) -> None:
        """Follow the event stream from where it was left, and ask for the apps."""
        if self._started:
            self._follow()
            self._refresh()
            self._ask_for_numbers()
            if self._ticks:
                self._ticks.resume()

    def stop_following(self) -> None:
        """Nobody looks: no event is taken until `follow_again`."""
        self.workers.cancel_group(self, STREAM)
        if self._ticks:
            self._ticks.pause()

    async def on_unmount(self) -> None:
        await self.client.close()

    @work(group=STREAM, exclusive=True)
    async def _follow(self) -> None:
        """Follow the event stream. After events that change an app, request the apps again.

        A stream that cannot be opened now, as when the token may have no further one, is asked for again.
        """
        told = ""
        while True:
            try:
                async for event in self.client.events_and_samples(self._after, recent=RECENT_EVENTS):
                    told = ""
                    if isinstance(sample := event.what, Sample):
                        self._dashboard.take_sample(sample)
                    else:
                        self._after = event.id
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
        self.tell_of_alert(event)
        if isinstance(event.what, UpdateFound):
            self._new_versions.take(event.app, event.what)
        if event.kind in CHANGES_APPS:
            self._refresh()

    @work(group="refresh")
    async def _refresh(self) -> None:
        await self._ask_for_apps()

    @work
    async def _ask_for_numbers(self) -> None:
        """Those of the last minute, once: then they come with the event stream."""
        with suppress(ClientError):  # an older orchestrator has none; that one is away is told by the other requests
            self._dashboard.begin_numbers(await self.client.traffic())

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
        if await self.client.permission.ask(self.client):
            self._dashboard.refresh_bindings()
            self._dashboard.show(found.apps)
        self.tell_of(self._new_versions.tell(found.apps))

    def watch_times(self) -> None:
        self._say_if_stale()

    def _say_if_stale(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DashboardScreen | ProgressScreen):
                screen.warn_of_age(self._apps.stale)

    def _name_live_version(self, apps: Sequence[AppView]) -> None:
        """In a terminal, the title has the version that is live, as `status` says it, not that of the local files."""
        live = next((app.active.version for app in apps if app.name == PANEL and app.active), "")
        if live and not is_deployed():
            self.sub_title = live
