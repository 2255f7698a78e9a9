"""The Data tab: the backups of an app, its schema, and what a rollback needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rich.text import Text
from textual.app import App as TextualApp
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from border.plain import one_line
from panel.client.errors import ClientError, Failed
from panel.client.events import Event, EventKind
from panel.client.migration_model import Migrations
from panel.client.model import Backup, DeploymentState
from panel.client.permission import ADMIN, DEPLOY
from panel.screens.question import QuestionScreen
from panel.text.age import ago
from panel.text.counted import counted
from panel.text.migrations import migrations
from panel.text.outcome import outcome
from panel.text.size import size
from panel.widgets.app_pane import AppPane
from panel.widgets.data import question
from panel.widgets.table import Table

COLUMNS = ("Made", "Size", "Release", "Verified", "Why")
NEEDS = {"create": DEPLOY, "restore": ADMIN, "delete": ADMIN}
"""The scope that an action needs, if it is more than reading."""
RENEWED_BY = frozenset(
    {EventKind.BACKUP_VERIFIED, EventKind.BACKUP_DELETED, EventKind.RESTORED, EventKind.LIVE, EventKind.ENDED}
)
CHANGES_SCHEMA = frozenset({EventKind.RESTORED, EventKind.LIVE})


class DataPane(AppPane):
    """`show_app` says of which app. Pass it the events, so that it stays true."""

    DEFAULT_CSS = """
    DataPane > .line { height: auto; margin: 0 1; }
    DataPane > #backups { height: 1fr; min-height: 4; }
    DataPane > #backup { height: auto; max-height: 4; margin: 0 1; color: $text-muted; }
    DataPane > VerticalScroll { height: auto; max-height: 50%; border-top: solid $panel; padding: 0 1; }
    DataPane > VerticalScroll > Static { height: auto; }
    """
    BINDINGS = [
        Binding("c,C", "create", "Back up", key_display="C", tooltip="Ask, and back up the app's data"),
        Binding("v,V", "verify", "Verify", key_display="V", tooltip="Ask, and check every byte of the backup"),
        Binding("r,R", "restore", "Restore", key_display="R", tooltip="Ask, and replace the data by the backup"),
        Binding("delete", "delete", "Delete", key_display="Del", tooltip="Ask, and delete the backup for ever"),
    ]

    _backups: tuple[Backup, ...] = ()
    _has_schema = False
    """Whether the schema is shown as it is: to ask for it starts the app's status command."""

    def compose(self) -> ComposeResult:
        yield Static(classes="line", id="backups-title")
        yield Table(id="backups", cursor_type="row", zebra_stripes=True)
        yield Static(id="backup")
        with VerticalScroll():
            yield Static(id="schema")

    def on_mount(self) -> None:
        for column in COLUMNS:
            self._table.add_column(column, key=column)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is possible now and the token may do is offered."""
        if action in NEEDS and not self._permission.allows(NEEDS[action]):
            return False
        if action in ("verify", "restore", "delete") and not self._backups:
            return False
        return super().check_action(action, parameters)

    def take(self, event: Event) -> None:
        """Show what an event has changed."""
        if event.app == self.app_name and event.kind in RENEWED_BY:
            self._has_schema = self._has_schema and event.kind not in CHANGES_SCHEMA
            self.renew()

    async def ask(self, app: str) -> None:
        if not self._backups:
            self.say(f"The backups of {app} are read.")
        if self._has_schema:
            self._fill(await self._client.backups(app))
            return
        backups, schema = await asyncio.gather(
            self._client.backups(app), self._client.migrations(app), return_exceptions=True
        )
        if isinstance(backups, BaseException):
            raise backups
        self._fill(backups)
        if isinstance(schema, Migrations):
            self._has_schema = True
            says = Text.from_markup(migrations(schema, self._clock()), emoji=False)
        elif isinstance(schema, ClientError):
            says = Text(str(schema))
        else:
            raise schema
        self.query_one("#schema", Static).update(says)

    def forget(self) -> None:
        self._has_schema = False
        self._fill(())
        self.query_one("#backups-title", Static).update("")
        self.query_one("#schema", Static).update("")

    def say(self, text: str) -> None:
        self.query_one("#backup", Static).update(Text(one_line(text)))

    @property
    def _table(self) -> Table:
        return self.query_one("#backups", Table)

    @property
    def _current(self) -> Backup | None:
        at = self._table.cursor_row
        return self._backups[at] if 0 <= at < len(self._backups) else None

    def _fill(self, found: tuple[Backup, ...]) -> None:
        """The rows again, with the cursor on the same backup, or else where it was."""
        before, row = self._current, self._table.cursor_row
        ids = [one.id for one in found]
        row = ids.index(before.id) if before and before.id in ids else max(0, min(row, len(ids) - 1))
        self._backups = found
        with self._table.filled_anew():
            for one in found:
                self._table.add_row(*self._cells(one), key=one.id)
            self._table.move_cursor(row=row)
        self.query_one("#backups-title", Static).update(Text(self._title(), "bold"))
        self._say_current()
        self.refresh_bindings()

    def _title(self) -> str:
        name = one_line(self.app_name)
        if not self._backups:
            return f"{name} has no backups"
        whole = size(sum(one.archive_size for one in self._backups))
        damaged = sum(bool(one.problem) for one in self._backups)
        made = ago(self._backups[0].created_at, self._clock())
        says = f"{counted(len(self._backups), 'backup')} of {name}, {whole}, the newest made {made}"
        return f"{says}, {damaged} damaged" if damaged else says

    def _cells(self, one: Backup) -> tuple[Text, ...]:
        now = self._clock()
        if one.problem:
            verified, why = Text("✗ damaged", "red"), one.problem
        elif one.verified_at:
            verified, why = Text(f"✓ {ago(one.verified_at, now)}", "green3"), one.reason
        else:
            verified, why = Text("– never", "grey50"), one.reason
        made, release = ago(one.created_at, now), one.version or "–"
        return Text(made), Text(size(one.archive_size)), Text(one_line(release)), verified, Text(one_line(why))

    def on_data_table_row_highlighted(self) -> None:
        self._say_current()

    def _say_current(self) -> None:
        """The backup under the cursor whole: a table cuts what is wider than the terminal."""
        one = self._current
        if one is None:
            self.say("")
            return
        holds = f"{counted(one.files, 'file')}, {size(one.data_size)} of data"
        parts = [one.id, holds, f"schema {one.data_schema}" if one.data_schema else "", one.problem or one.reason]
        self.say(". ".join(filter(None, (*parts, *one.notes))))

    # Changes

    def action_create(self) -> None:
        """Ask, and back up the app's data."""

        async def change(app: str) -> str:
            made = await self._client.create_backup(app)
            return f"Backup {made.id} of {app} is created: {counted(made.files, 'file')}, {size(made.data_size)}."

        if self.app_name:
            self._ask_first(question.create(self._client, self.app_name), change)

    def action_verify(self) -> None:
        """Ask, and check every byte of the backup under the cursor."""
        if (one := self._current) is None:
            return
        backup = one.id

        async def change(app: str) -> str:
            await self._client.verify_backup(app, backup)
            return f"Backup {backup} of {app} is complete, and every checksum matches."

        self._ask_first(question.verify(self.app_name, one), change)

    def action_restore(self) -> None:
        """Ask, and replace the app's data by the backup under the cursor."""
        if (one := self._current) is None:
            return
        backup = one.id

        async def change(app: str) -> str:
            record = await self._client.restore_backup(app, backup)
            says = Text.from_markup(outcome(record), emoji=False).plain
            if record.state != DeploymentState.LIVE:
                raise Failed(says)
            return says

        self._ask_first(question.restore(self._client, self.app_name, one, self._clock()), change)

    def action_delete(self) -> None:
        """Ask, and delete the backup under the cursor."""
        if (one := self._current) is None:
            return
        backup = one.id

        async def change(app: str) -> str:
            await self._client.delete_backup(app, backup)
            return f"Backup {backup} of {app} is deleted."

        self._ask_first(question.delete(self.app_name, one, self._backups, self._clock()), change)

    def _ask_first(self, asks: QuestionScreen, change: Callable[[str], Awaitable[str]]) -> None:
        """Its result is told wherever the person is by then: it is the app's worker, not that of this pane."""
        name, panel = self.app_name, self.app

        def answered(yes: bool | None) -> None:
            if yes:
                panel.run_worker(self._carry_out(name, change, panel), group="changes")

        panel.push_screen(asks, answered)

    async def _carry_out(self, name: str, change: Callable[[str], Awaitable[str]], panel: TextualApp[Any]) -> None:
        try:
            says = await change(name)
        except ClientError as error:
            panel.notify(str(error), severity="error", timeout=15, markup=False)
        else:
            panel.notify(says, timeout=10, markup=False)
        if name == self.app_name and self.is_attached:
            self.renew()
