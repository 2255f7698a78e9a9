"""The tab Events: what happened to the selected app, and who did what to it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from panel.client.client import Client
from panel.client.events import Event
from panel.client.permission import ADMIN, Permission
from panel.widgets.events.audit_table import AUDIT_KEYS, AuditTable
from panel.widgets.events.log import EventLog

EVENTS, AUDIT = "Events", "Who did what"


class Choice(Static):
    """Which of both is shown; a click shows the other one."""

    async def on_click(self, event: Click) -> None:
        event.stop()
        if isinstance(pane := self.parent, EventsPane):
            await pane.choose_other()


class EventsPane(Vertical):
    """`known` are the newest events of all apps, which the dashboard keeps. The audit log of the app is made and asked
    for when it is chosen, which a token without the scope for it is not offered."""

    class Chosen(Message):
        """`audit`: the audit log is shown now, not the events."""

        def __init__(self, *, audit: bool) -> None:
            super().__init__()
            self.audit = audit

    BINDINGS = [*AUDIT_KEYS]
    DEFAULT_CSS = """
    EventsPane { padding: 1 0 0 0; }
    EventsPane > Static { height: auto; padding: 0 2; color: $text-muted; }
    EventsPane > .-hidden { display: none; }
    """

    def __init__(self, known: Iterable[Event], client: Client, permission: Permission, *, audit: bool = False) -> None:
        super().__init__()
        self._known = known
        self._client = client
        self._permission = permission
        self._app = ""
        self._audit: AuditTable | None = None
        """The audit log, once it was chosen."""
        self.has_audit = False
        """Whether that is shown, not the events."""
        self._begins_with_audit = audit

    def compose(self) -> ComposeResult:
        yield Choice()
        yield EventLog("events-of-one")
        yield Static("[A] Audit log: who did what", markup=False)

    async def on_mount(self) -> None:
        self._say_choice()
        if self._begins_with_audit:
            await self.choose_other()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the audit log are there with it."""
        if action in ("more", "refused"):
            return self.has_audit
        return super().check_action(action, parameters)

    def show_app(self, name: str) -> None:
        if name == self._app:
            return
        self._app = name
        log = self.query_one(EventLog)
        log.begin_again()
        for event in [one for one in self._known if one.app == name]:
            log.take(event)
        if self._audit and self.has_audit:
            self._audit.show_app(name)
        self._say_choice()

    def take(self, event: Event) -> None:
        if event.app == self._app and self.is_attached:
            self.query_one(EventLog).take(event)

    async def choose_other(self) -> None:
        """Show the audit log of the app, or its events again."""
        if not self._permission.allows(ADMIN):
            return
        self.has_audit = not self.has_audit
        log = self.query_one(EventLog)
        had_focus = self.screen.focused is not None and self in self.screen.focused.ancestors
        if self._audit is None:
            self._audit = AuditTable(self._client, self._app)
            await self.mount(self._audit, after=log)
            if not self.is_attached:
                return
        elif self.has_audit:
            self._audit.show_app(self._app)
        log.set_class(self.has_audit, "-hidden")
        self._audit.set_class(not self.has_audit, "-hidden")
        log.can_focus, self._audit.table.can_focus = not self.has_audit, self.has_audit
        if had_focus:
            self.screen.set_focus(self._audit.table if self.has_audit else log)
        self._say_choice()
        self.refresh_bindings()
        self.post_message(self.Chosen(audit=self.has_audit))

    def _say_choice(self) -> None:
        chosen = AUDIT if self.has_audit else EVENTS
        names = (Text(f"[{one}]", "bold") if one == chosen else Text(one) for one in (EVENTS, AUDIT))
        choice = self.query_one(Choice)
        choice.display = self._permission.allows(ADMIN)
        choice.update(Text.assemble(Text("  ").join(names), "   E: the other"))

    def action_more(self) -> None:
        if self._audit:
            self._audit.more()

    def action_refused(self) -> None:
        """Show only what was refused or failed, or everything again."""
        if self._audit:
            self._audit.toggle_refused()
