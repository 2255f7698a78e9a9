"""A test of notices: what each service answered."""

from __future__ import annotations

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.screens.whole import is_whole
from panel.text import notice_test


class NoticesScreen(ModalScreen[None]):
    """Nothing is sent before a key is pressed here: each test sends a message to everybody who is told something."""

    BINDINGS = [
        Binding("t,T", "test", "Send a test", tooltip="Send a test to the services that are told of this app"),
        Binding("escape", "close", "Close", tooltip="Go back to the dashboard"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(self, client: Client, app_shown: str) -> None:
        super().__init__()
        self._client = client
        self._app_shown = app_shown

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Text(f"NOTICES OF {self._app_shown.upper()}")
            with VerticalScroll():
                yield Static(
                    Text("A test is a message to each service that is told what happens to this app."), id="said"
                )
            yield Static("\\[T] Send a test  │  \\[Esc] Close", classes="keys")

    def action_test(self) -> None:
        self._show(Text("Sending. Each service has 20 s to answer."))
        self._test()

    @work(exclusive=True)
    async def _test(self) -> None:
        try:
            found = await self._client.test_notices(self._app_shown)
        except ClientError as error:
            self._show(Text(str(error), "red"))
            return
        self._show(Text.from_markup("\n".join(notice_test.lines(found)), emoji=False))

    def _show(self, says: Text) -> None:
        if is_whole(self):
            self.query_one("#said", Static).update(says)

    def action_close(self) -> None:
        self.dismiss()
