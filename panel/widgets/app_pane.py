"""The base of the tabs about one app: they ask the orchestrator only while somebody sees them."""

from __future__ import annotations

from abc import abstractmethod

from textual import work
from textual.containers import Vertical
from textual.events import Hide, Show

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.clock import Clock, utc_now


class AppPane(Vertical):
    """Shows the app of `show_app`. Its requests are cancelled when it is hidden or shows another app, and made again
    when it is seen; what is shown stays meanwhile. What a person asked to change is not cancelled."""

    def __init__(self, client: Client, clock: Clock = utc_now, id: str | None = None) -> None:
        super().__init__(id=id)
        self._client, self._clock = client, clock
        self._app_name = ""
        self._permission = client.permission
        self._is_seen = self._is_current = False

    @abstractmethod
    async def ask(self, app: str) -> None:
        """Ask the orchestrator, and show the answers. Raises ClientError."""

    @abstractmethod
    def forget(self) -> None:
        """Show nothing of the app before."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line, such as why the orchestrator did not answer; empty for none."""

    @property
    def app_name(self) -> str:
        """The app that is shown; empty for none."""
        return self._app_name

    def show_app(self, name: str) -> None:
        """Show this app; an empty name shows none."""
        if name == self._app_name:
            return
        self.workers.cancel_group(self, "load")
        self._app_name, self._is_current = name, False
        if self.is_mounted:
            self.forget()
        self._load_if_seen()

    def renew(self) -> None:
        """What is shown is not new any more."""
        self._is_current = False
        self._load_if_seen()

    def on_mount(self) -> None:
        self._ask_what_is_allowed()

    @work
    async def _ask_what_is_allowed(self) -> None:
        await self._permission.ask(self._client)
        self.refresh_bindings()

    def on_show(self, _event: Show) -> None:
        self._is_seen = True
        self._load_if_seen()

    def on_hide(self, _event: Hide) -> None:
        self._is_seen = False
        self.workers.cancel_group(self, "load")

    def _load_if_seen(self) -> None:
        if self._is_seen and self._app_name and not self._is_current:
            self._load(self._app_name)

    @work(exclusive=True, group="load")
    async def _load(self, app: str) -> None:
        try:
            await self.ask(app)
        except ClientError as error:
            self.say(str(error))
            return
        self._is_current = True
