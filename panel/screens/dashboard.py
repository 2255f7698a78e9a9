"""The first screen: every app, the update that waits, and what happened lately."""

from __future__ import annotations

import asyncio

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer, Header, RichLog, Static

from panel import show
from panel.client import Client
from panel.errors import ClientError
from panel.model import App, Event, Update
from panel.screens.confirm import ConfirmScreen
from panel.screens.details import DetailsScreen
from panel.screens.progress import ProgressScreen
from panel.widgets.apps_table import AppsTable
from panel.widgets.banner import UpdateBanner


class DashboardScreen(Screen[None]):
    BINDINGS = [
        Binding("u", "update", "Update"),
        Binding("U", "force_check", "Check now", key_display="Shift+U"),
        Binding("d", "details", "Details"),
        Binding("x", "dismiss_update", "Dismiss"),
        Binding("b", "rollback", "Roll back"),
        Binding("p", "progress", "Progress"),
    ]

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._apps: list[App] = []
        self._loaded = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Header()
        yield UpdateBanner()
        yield AppsTable(id="apps")
        yield Static("Events", classes="heading")
        yield RichLog(id="events", max_lines=500, wrap=True)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(AppsTable).focus()
        if self._apps:
            self.show(self._apps)

    def show(self, apps: list[App]) -> None:
        self._apps = apps
        self._loaded.set()
        if not self.is_mounted:
            return
        self.query_one(AppsTable).show(apps)
        waiting = [app for app in apps if app.update]
        here = [app for app in waiting if app.name == self.selected]
        self.query_one(UpdateBanner).show(next(iter(here or waiting), None))

    def take(self, event: Event) -> None:
        if self.is_mounted and (line := show.story(event)):
            self.query_one("#events", RichLog).write(Text.from_markup(line))

    @property
    def selected(self) -> str:
        return self.query_one(AppsTable).selected if self.is_mounted else ""

    def select(self, app: str) -> None:
        self.query_one(AppsTable).select(app)

    def on_data_table_row_highlighted(self) -> None:
        self.show(self._apps)

    async def action_update(self) -> None:
        """Check for an update of the app under the cursor and, if there is one, ask and install it."""
        await self._update(use_known=True)

    async def action_force_check(self) -> None:
        await self._update(use_known=False)

    async def _update(self, *, use_known: bool) -> None:
        app = await self._current()
        if app is None:
            return
        if app.deployment:
            self._follow(app.name, app.deployment.id)
            return
        try:
            update = (app.update if use_known else None) or await self._client.check(app.name)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15)
            return
        if update is None:
            self.notify(f"{app.name} is up to date ({app.active.version if app.active else 'not deployed'}).")
            return
        self._confirm(app, update)

    def _confirm(self, app: App, update: Update) -> None:
        async def answered(yes: bool | None) -> None:
            if not yes:
                return
            try:
                asked = await self._client.deploy(app.name, idempotency_key=f"{app.name}-{update.revision}-{id(self)}")
            except ClientError as error:
                self.notify(str(error), severity="error", timeout=15)
                return
            self._follow(app.name, asked.id)

        self.app.push_screen(ConfirmScreen(app, update), answered)

    async def action_details(self) -> None:
        app = await self._current()
        if app is None or app.update is None:
            self.notify("No update is known. Press U to check.")
            return
        update = app.update

        def closed(wanted: str | None) -> None:
            if wanted == "update":
                self._confirm(app, update)

        self.app.push_screen(DetailsScreen(app, update), closed)

    async def action_dismiss_update(self) -> None:
        app = await self._current()
        if app is None or app.update is None:
            return
        try:
            await self._client.dismiss(app.name)
        except ClientError as error:
            self.notify(str(error), severity="error")
            return
        self.notify(f"{app.update.version} will be shown again in 24 hours.")

    async def action_rollback(self) -> None:
        app = await self._current()
        if app is None:
            return
        try:
            record = await self._client.rollback(app.name)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15)
            return
        self.notify(show.outcome(record), timeout=10)

    async def action_progress(self) -> None:
        """Go back to the deployment under way."""
        app = await self._current()
        if app and app.deployment:
            self._follow(app.name, app.deployment.id)
        else:
            self.notify("Nothing is being deployed.")

    async def _current(self) -> App | None:
        """The app under the cursor. A key that comes before the first answer of the API waits for it."""
        await self._loaded.wait()
        return next((app for app in self._apps if app.name == self.selected), None)

    def _follow(self, app: str, deployment: str) -> None:
        self.app.push_screen(ProgressScreen(self._client, app, deployment))
