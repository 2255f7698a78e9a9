"""The first screen: every app, the update that is available, and the newest events."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen
from textual.widgets import Static

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.events import Event
from panel.client.model import App, Apps, DeploymentState, Slot, Update
from panel.client.version_model import Version
from panel.clock import Clock, utc_now
from panel.console.memory import Memory
from panel.screens.alert_keys import ALERT_KEYS
from panel.screens.audit import AuditScreen
from panel.screens.confirm import ConfirmScreen
from panel.screens.console_key import CONSOLE_KEY, ConsoleKey
from panel.screens.deployment_screen import last_deployment
from panel.screens.details import DetailsScreen
from panel.screens.notices import NoticesScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import AsksPlan, ask_although_off, deploy_again, deploy_version, roll_back
from panel.screens.versions import VersionsScreen
from panel.screens.whole import is_whole
from panel.text.held_back import held_back_in_words, no_update_in_words
from panel.text.outcome import outcome
from panel.widgets.apps_table import AppsTable
from panel.widgets.banner import TroubleBanner, UpdateBanner
from panel.widgets.console.console import Console
from panel.widgets.event_log import EventLog
from panel.widgets.key_line import KeyLine
from panel.widgets.title_line import TitleLine

SLOW_S = 1.0
"""After so many seconds, a check that is under way is told."""


class DashboardScreen(ConsoleKey):
    BINDINGS = [
        Binding("u", "update", "Update", key_display="U", tooltip="Look for an update, ask, and install it"),
        Binding("d,D", "details", "Details", key_display="D", tooltip="Show what the update changes"),
        Binding(
            "x,X",
            "dismiss_update",
            "Dismiss",
            key_display="X",
            tooltip="Hide the update, or why there is none, for 24 hours",
        ),
        Binding("b,B", "rollback", "Roll back", key_display="B", tooltip="Ask, and go back to the standby release"),
        Binding("p,P", "progress", "Progress", key_display="P", tooltip="Show the deployment, or the last one"),
        Binding("a,A", "audit", "Audit", key_display="A", tooltip="Show who did what (needs scope admin)"),
        Binding("U", "force_check", "Check now", key_display="Shift+U", tooltip="Ask the source for an update now"),
        Binding("v,V", "versions", "Versions", key_display="V", tooltip="Deploy or skip a version"),
        CONSOLE_KEY,
        Binding("n,N", "notices", "Notices", key_display="N", tooltip="Send a test of notices"),
        *ALERT_KEYS,
    ]

    def __init__(self, client: Client, clock: Clock = utc_now, memory: Memory | None = None) -> None:
        super().__init__(memory or Memory(client, dict))
        self._client = client
        self._clock = clock

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield TroubleBanner()
        yield UpdateBanner()
        yield AppsTable(id="apps")
        yield Static("Events", classes="heading")
        yield EventLog()
        yield Console(self._client, self._clock, self.memory)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(AppsTable).focus()
        if self._apps:
            self.show(self._apps)

    def show(self, apps: Sequence[App]) -> None:
        """Show these apps, and the update of the selected one, or of the first that has one."""
        self._apps = tuple(apps)
        self._loaded.set()
        if not is_whole(self):
            return
        self.query_one(AppsTable).show(apps, self._clock())
        self.query_one(UpdateBanner).show(apps, self.selected)
        question = self.app.screen
        if isinstance(question, ConfirmScreen):
            question.take(self._named(question.asks_about))

    def warn(self, found: Apps) -> None:
        """Show what is wrong with the installation and with apps."""
        if is_whole(self):
            self.query_one(TroubleBanner).show(found)

    def warn_of_age(self, says: str) -> None:
        """Show that what is shown is not new; nothing if it is."""
        if is_whole(self):
            self.query_one(TroubleBanner).show_age(says)

    def take(self, event: Event) -> None:
        if is_whole(self):
            self.query_one(EventLog).take(event)

    @property
    def selected(self) -> str:
        """The app under the cursor; empty when there is none."""
        return self.query_one(AppsTable).selected if is_whole(self) else ""

    def select(self, app: str) -> None:
        if is_whole(self):
            self.query_one(AppsTable).select(app)

    def on_data_table_row_highlighted(self) -> None:
        self.show(self._apps)

    def action_update(self) -> None:
        """Look for an update of the app under the cursor and, if there is one, ask and install it."""
        self._with_current(self._update)

    def action_force_check(self) -> None:
        self._with_current(partial(self._update, use_known=False))

    def _update(self, app: App, *, use_known: bool = True) -> None:
        if app.deployment:
            self._follow(app.name, app.deployment.id)
        elif app.update and use_known:
            self._confirm(app, app.update)
        elif app.updates_off:
            self._ask(ask_although_off(app.name), lambda: self._ask_the_source(app, afresh=not use_known))
        else:
            self._ask_the_source(app, afresh=not use_known)

    @work(exclusive=True, group="asked")
    async def _ask_the_source(self, app: App, *, afresh: bool) -> None:
        """It may take long: no other key waits for it. Whoever has gone to another screen or app meanwhile is not asked
        there, where the next key would be the answer."""
        says = f"The source of {app.name} is asked. That may take minutes."
        slow = self.set_timer(SLOW_S, lambda: self.notify(says, markup=False))
        try:
            update = await self._client.check(app.name, afresh=afresh)
            known = app if update else await self._client.app(app.name)
        except ClientError as error:
            self._complain(error)
            return
        finally:
            slow.stop()
        if update and self._is_shown and self.selected == app.name:
            self._confirm(app, update, is_fresh=True)
        elif update:
            self.notify(f"An update of {app.name} is available: {update.version}. U installs it.", markup=False)
        elif self._is_shown or not known.configuration_changed:
            self._say_that_there_is_none(known)

    def _say_that_there_is_none(self, app: App) -> None:
        if app.configuration_changed and app.active:
            self._offer_to_deploy_again(app, app.active)
            return
        self.notify(no_update_in_words(app), markup=False)

    def _offer_to_deploy_again(self, app: App, active: Slot) -> None:
        """The live release with the configuration as it is now. The standby stays the goal of a rollback."""
        self._ask_to_deploy(deploy_again(app.name, active, self._plan_of(app.name)), app.name, active.revision)

    def _ask_to_deploy(self, question: ModalScreen[bool], app: str, revision: str) -> None:
        """Ask, deploy what was confirmed, and show its progress."""
        # One for each question: a release that failed can be asked for again.
        key = secrets.token_hex(8)
        self._ask(question, lambda: self._deploy(app, revision, key))

    @work(group="changes")
    async def _deploy(self, app: str, revision: str, key: str) -> None:
        try:
            asked = await self._client.deploy(app, revision, idempotency_key=key)
        except ClientError as error:
            self._complain(error)
            return
        if self._is_shown:
            self._follow(app, asked.id)

    def _confirm(self, app: App, update: Update, *, is_fresh: bool = False) -> None:
        """`is_fresh`: the source was asked just now."""
        question = ConfirmScreen(self._client, app, update, self._clock(), is_fresh=is_fresh)
        self._ask_to_deploy(question, app.name, update.revision)

    def action_details(self) -> None:
        self._with_current(self._show_details)

    def _show_details(self, app: App) -> None:
        update = app.update
        if update is None:
            self._tell_no_update(app)
            return

        def closed(wanted: str | None) -> None:
            if wanted == "update":
                self._confirm_if_configured(app.name, update)

        self.app.push_screen(DetailsScreen(app, update, self._clock()), closed)

    def _confirm_if_configured(self, name: str, update: Update) -> None:
        """What was shown may be of long ago, and the app may be gone since then."""
        if app := self._named(name):
            self._confirm(app, update)
        else:
            self.notify(f"{name} is not configured any more.", severity="warning", markup=False)

    def _tell_no_update(self, app: App) -> None:
        says = "No update is known for this app, or it is dismissed. Press U to check."
        self.notify(held_back_in_words(app) or says, markup=False)

    def action_dismiss_update(self) -> None:
        """Do not show the update of the app under the cursor for 24 hours."""
        self._with_current(self._dismiss)

    @work(group="changes")
    async def _dismiss(self, app: App) -> None:
        shown = app.update or (app.held_back if app.held_back and not app.held_back.dismissed else None)
        if shown is None:
            self._tell_no_update(app)
            return
        try:
            await self._client.dismiss(app.name, shown.version)
        except ClientError as error:
            self._complain(error)
            return
        self.notify(f"{app.name} {shown.version} is dismissed for 24 hours.", markup=False)

    def action_versions(self) -> None:
        self._with_current(self._show_versions)

    def _show_versions(self, app: App) -> None:
        def closed(wanted: Version | None) -> None:
            if wanted:
                question = deploy_version(app.name, wanted, app.active, self._plan_of(app.name))
                self._ask_to_deploy(question, app.name, wanted.ref)

        self.app.push_screen(VersionsScreen(self._client, app, self._clock), closed)

    def action_rollback(self) -> None:
        self._with_current(self._ask_to_roll_back)

    def _ask_to_roll_back(self, app: App) -> None:
        name, standby = app.name, app.standby
        if standby is None:
            self.notify(f"{name} has no standby release to roll back to. Deploy a second release first.", markup=False)
            return
        question = roll_back(name, standby, app.active, self._plan_of(name, "rollback"))
        self._ask(question, lambda: self._roll_back(name, standby.container))

    def _plan_of(self, app: str, kind: str = "deploy") -> AsksPlan:
        return lambda: self._client.plan(app, kind)

    @work(group="changes")
    async def _roll_back(self, app: str, container: str) -> None:
        try:
            record = await self._client.rollback(app, container=container)
        except ClientError as error:
            self._complain(error)
            return
        is_live = record.state == DeploymentState.LIVE
        if not is_live and self._is_shown:
            self._follow(app, record.id)  # with the log, which no notice has room for
            return
        severity: SeverityLevel = "information" if is_live else "error"
        self.notify(Text.from_markup(outcome(record), emoji=False).plain, severity=severity, timeout=10, markup=False)

    def action_progress(self) -> None:
        self._with_current(self._show_progress)

    @work(exclusive=True, group="asked")
    async def _show_progress(self, app: App) -> None:
        try:
            shown = app.deployment.id if app.deployment else await last_deployment(self._client, app.name)
        except ClientError as error:
            self._complain(error)
            return
        if shown and self._is_shown:
            self._follow(app.name, shown)
        elif not shown:
            self.notify("This app has no deployments.")

    def action_notices(self) -> None:
        self._with_current(lambda app: self.app.push_screen(NoticesScreen(self._client, app.name)))

    def action_audit(self) -> None:
        self.app.push_screen(AuditScreen(self._client))

    def _follow(self, app: str, deployment: str) -> None:
        self.app.push_screen(ProgressScreen(self._client, app, deployment, self._clock))
