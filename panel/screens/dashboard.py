"""The first screen: every app on the left, everything about the one under the cursor on the right."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Input, Static

from panel.client.client import Client
from panel.client.events import DECIDED, LAST, Event
from panel.client.model import App, Apps
from panel.client.traffic_model import Traffic
from panel.client.traffic_sample import Sample
from panel.clock import Clock, utc_now
from panel.console.memory import Memory
from panel.live_numbers import LiveNumbers
from panel.screens.confirm import ConfirmScreen
from panel.screens.console_key import ConsoleKey
from panel.screens.dashboard_keys import DASHBOARD_KEYS
from panel.screens.deployment_keys import DeploymentKeys
from panel.screens.interruption_keys import InterruptionKeys
from panel.screens.preferences import PreferencesKey
from panel.screens.tab_keys import TabKeys
from panel.screens.update_keys import UpdateKeys
from panel.screens.whole import is_whole
from panel.widgets.apps.grade import all_in_words
from panel.widgets.apps.list import AppsList
from panel.widgets.banner import TroubleBanner, UpdateBanner
from panel.widgets.configuration.pane import ConfigurationPane
from panel.widgets.console.console import Console
from panel.widgets.data.pane import DataPane
from panel.widgets.deployments.pane import DeploymentsPane
from panel.widgets.events.log import EventLog
from panel.widgets.events.pane import EventsPane
from panel.widgets.key_line import KeyLine
from panel.widgets.line_input import LineInput
from panel.widgets.logs.pane import LogsPane
from panel.widgets.overview.pane import OverviewPane
from panel.widgets.tabs.app_tabs import AppTabs, Page
from panel.widgets.tabs.tab_bar import Tab
from panel.widgets.title_line import TitleLine

PHONE = 70
"""In fewer columns, one half is shown at a time."""
LOW = 24
"""In fewer rows, the events of all apps have no room below the apps."""


class DashboardScreen(UpdateKeys, DeploymentKeys, TabKeys, InterruptionKeys, ConsoleKey, PreferencesKey):
    BINDINGS = DASHBOARD_KEYS
    DEFAULT_CSS = """
    DashboardScreen {
        #left { width: 50%; min-width: 40; }
        #left > AppsList { height: auto; max-height: 65%; }
        #right { width: 1fr; border-left: vkey $primary-darken-2; }
        #filter { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
        #filter.-open { display: block; }
        &.-low #left > EventLog, &.-low #left > .heading { display: none; }
        &.-low #left > AppsList { max-height: 100%; }
        &.-alone #left { display: none; }
        &.-alone #right { border: none; }
        &.-phone #left { width: 1fr; min-width: 0; }
        &.-phone #right { display: none; border: none; }
        &.-phone.-alone #right { display: block; }
    }
    """

    def __init__(self, client: Client, clock: Clock = utc_now, memory: Memory | None = None) -> None:
        super().__init__(client, clock, memory or Memory(client, dict))
        self._numbers = LiveNumbers()
        self._events: deque[Event] = deque(maxlen=EventLog.MAX_LINES)
        self._is_old = False

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield TroubleBanner()
        yield UpdateBanner()
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield AppsList()
                yield LineInput(id="filter", placeholder="words of the app, its version or its health")
                yield Static("Events", classes="heading")
                yield EventLog()
            with Vertical(id="right"):
                yield AppTabs(
                    [
                        Page(Tab("1", "overview", "Overview"), self._overview),
                        Page(Tab("2", "deployments", "Deployments"), self._deployments),
                        Page(Tab("3", "logs", "Logs"), lambda: LogsPane(self._client)),
                        Page(Tab("4", "data", "Data"), lambda: DataPane(self._client, self._clock)),
                        Page(Tab("5", "configuration", "Configuration"), self._configuration),
                        Page(Tab("6", "events", "Events"), self._events_pane),
                    ]
                )
        yield Console(self._client, self._clock, self.memory)
        yield KeyLine()

    def _events_pane(self) -> EventsPane:
        return EventsPane(self._events, self._client, self._permission, audit=self.has_audit)

    def on_mount(self) -> None:
        self.set_focus(self._list)
        if self._apps:
            self.show(self._apps)

    def on_resize(self, event: Resize) -> None:
        self._list.has_cards = event.size.width < PHONE
        self.set_class(event.size.width < PHONE, "-phone")
        self.set_class(event.size.height < LOW, "-low")

    # What is shown

    def show(self, apps: Sequence[App]) -> None:
        """Show these apps, and the update of the selected one, or of the first that has one."""
        self._apps = tuple(self._as_of_now(app) for app in apps)
        self._loaded.set()
        if not is_whole(self):
            return
        self._list.show(self._apps, self._numbers.of)
        self._show_selected()
        question = self.app.screen
        if isinstance(question, ConfirmScreen):
            question.take(self._named(question.asks_about))

    def _as_of_now(self, app: App) -> App:
        is_over = app.muted_until is not None and not app.is_muted(self._clock())
        return app.model_copy(update={"muted_until": None}) if is_over else app

    def _show_selected(self) -> None:
        self.query_one(UpdateBanner).show(self._apps, self.selected, may_install=self._permission.may_deploy)
        self._tabs.show_app(self.selected)
        if isinstance(shown := self._tabs.shown, OverviewPane):
            shown.show(self._named(self.selected), self._clock())
        self._say_how_all_are()
        self.offer_interruptions()

    def _say_how_all_are(self) -> None:
        grade, words = all_in_words(self._apps)
        style = "warned" if self._is_old else grade.name.lower()
        mark, words = ("▲", "no answer") if self._is_old else (grade.mark, words)
        self.query_one(TitleLine).say(mark, words, style, self._clock())

    def begin_numbers(self, traffic: Traffic) -> None:
        """Show the numbers that the orchestrator has known so far."""
        self._numbers.begin(traffic)
        self._show_numbers()

    def take_sample(self, sample: Sample) -> None:
        self._numbers.take(sample)

    def tick(self) -> None:
        """A second has gone by."""
        self._numbers.tick([app.name for app in self._apps], known=not self._is_old)
        self._show_numbers()

    def requests_of(self, app: str) -> float | None:
        return self._numbers.of(app).now

    def _show_numbers(self) -> None:
        if is_whole(self):
            self._list.show(self._apps, self._numbers.of)

    def warn(self, found: Apps) -> None:
        """Show what is wrong with the installation and with apps."""
        if is_whole(self):
            self.query_one(TroubleBanner).show(found)

    def warn_of_age(self, says: str) -> None:
        """Show that what is shown is not new; nothing if it is."""
        if is_whole(self):
            self._is_old = bool(says)
            self.query_one(TroubleBanner).show_age(says)
            self._say_how_all_are()

    def take(self, event: Event) -> None:
        """Add an event to the log."""
        self._events.append(event)
        if not is_whole(self):
            return
        self.query_one("#events", EventLog).take(event)
        for pane in self.query(EventsPane):
            pane.take(event)
        for told in (*self.query(DataPane), *self.query(ConfigurationPane)):
            told.take(event)
        if event.kind in DECIDED | LAST:
            for history in self.query(DeploymentsPane):
                history.again(event.app)

    @property
    def selected(self) -> str:
        """The app under the cursor; empty when there is none."""
        return self._list.selected if is_whole(self) else ""

    @property
    def wanted(self) -> str:
        """The same; until the apps are known, the one that is to be selected."""
        return (self._list.selected or self._list.awaited) if is_whole(self) else ""

    def select(self, app: str) -> None:
        if is_whole(self):
            self._list.select(app)

    @property
    def _list(self) -> AppsList:
        return self.query_one(AppsList)

    @property
    def _tabs(self) -> AppTabs:
        return self.query_one(AppTabs)

    # The list

    def on_apps_list_highlighted(self) -> None:
        if is_whole(self):
            self._show_selected()

    def on_apps_list_opened(self) -> None:
        """On a phone, the app takes the place of the list; elsewhere, the keys go to its tab."""
        if self.has_class("-phone"):
            self.add_class("-alone")
        self._tabs.focus_shown()

    def action_filter(self) -> None:
        self.remove_class("-alone")
        self._filter.add_class("-open")
        self.set_focus(self._filter)

    @on(Input.Changed, "#filter")
    def _filter_as_typed(self, event: Input.Changed) -> None:
        self._list.look(replace(self._list.view, words=event.value))

    @on(Input.Submitted, "#filter")
    def _filter_kept(self) -> None:
        self._filter.set_class(bool(self._filter.value), "-open")
        self.set_focus(self._list)

    def action_sort(self) -> None:
        view = self._list.view
        self._list.look(replace(view, sort=view.sort.next))
        self.notify(f"Sorted by {self._list.view.sort}.", timeout=2)

    def action_group(self) -> None:
        self._list.look(replace(self._list.view, grouped=not self._list.view.grouped))

    def action_faults(self) -> None:
        self._list.look(replace(self._list.view, faults_only=not self._list.view.faults_only))

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    # The tabs

    def action_tab(self, tab: str) -> None:
        if self.has_class("-phone"):
            self.add_class("-alone")
        self._tabs.open(tab)
        self._show_selected()

    def action_turn(self, by: int) -> None:
        self._tabs.turn(by)
        self._show_selected()

    def action_zoom(self) -> None:
        self.toggle_class("-alone")
        if not self.has_class("-alone"):
            self.set_focus(self._list)

    def action_back(self) -> None:
        """One step at a time: from the filter, from a tab, from an app that is shown alone."""
        if self.focused is self._filter:
            self._filter.value = ""
            self._filter.remove_class("-open")
        else:
            self.remove_class("-alone")
        self.set_focus(self._list)

    def action_open(self) -> None:
        """Open the app under the cursor in the browser."""
        self._with_current(self._open)

    def _open(self, app: App) -> None:
        if app.url:
            self.app.open_url(app.url)
        else:
            self.notify(f"{app.name} has no route, and so no address.", markup=False)

    def on_deployments_pane_opened(self, message: DeploymentsPane.Opened) -> None:
        self._follow(message.deployment.app, message.deployment.id)
