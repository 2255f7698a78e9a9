"""A deployment as it happens, and how it ended: complete with its changelog, or failed with its cause and log."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Header, Static

from panel import show
from panel.client import Client
from panel.errors import ClientError
from panel.model import Deployment
from panel.widgets.steps import Progress, StepList


class ProgressScreen(Screen[None]):
    BINDINGS = [
        Binding("enter", "leave", "Continue"),
        Binding("escape", "cancel", "Cancel", show=False),
    ]
    TICK_S = 0.5

    def __init__(self, client: Client, app_name: str, deployment: str) -> None:
        super().__init__()
        self._client = client
        self.app_name = app_name
        self.deployment = deployment
        self._progress = Progress()

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(classes="dialog -tall", id="progress") as dialog:
            dialog.border_title = f"UPDATING {self.app_name.upper()}…"
            with VerticalScroll():
                yield StepList()
                yield Static(id="outcome")
            yield Static("", classes="keys", id="keys")
        yield Footer()

    def on_mount(self) -> None:
        self._follow()
        self.set_interval(self.TICK_S, self._draw)
        self._draw()

    @work
    async def _follow(self) -> None:
        try:
            async for event in self._client.events(0, self.deployment):
                already = self._progress.decided
                self._progress.take(event)
                self._draw()
                if self._progress.decided and not already:
                    await self._show_outcome()
                if event.kind in ("ended", "failed", "cancelled", "superseded"):
                    return
        except ClientError as error:
            self.notify(str(error), severity="error")

    def _draw(self) -> None:
        self.query_one(StepList).show(self._progress)
        keys = "[Enter] Continue"
        if not self._progress.decided:
            safe = "" if self._progress.cancelling_is_safe else " (not safe any more)"
            keys = f"[Esc] Cancel{safe}  │  [Enter] Leave it running"
        self.query_one("#keys", Static).update(Text(keys))

    async def _show_outcome(self) -> None:
        ended = await self._client.deployment(self.deployment)
        dialog = self.query_one("#progress")
        live = ended.state in ("live", "rolled_back")
        dialog.border_title = f"UPDATE {'COMPLETE' if live else ended.state.upper()}"
        dialog.set_class(not live, "-failed")
        dialog.set_class(live, "-complete")
        self.query_one("#outcome", Static).update(complete(ended) if live else failed(ended))
        self.query_one(VerticalScroll).scroll_end(animate=False)

    async def action_cancel(self) -> None:
        if self._progress.decided:
            self.action_leave()
            return
        if not self._progress.cancelling_is_safe:
            self.notify("Traffic is being switched; go back with B once it is live.", severity="warning")
            return
        try:
            await self._client.cancel(self.deployment)
        except ClientError as error:
            self.notify(str(error), severity="error")

    def action_leave(self) -> None:
        self.app.pop_screen()


def complete(ended: Deployment) -> RenderableType:
    took = f" in {ended.seconds:.1f} s" if ended.seconds is not None else ""
    lines = ["Changelog:", *changes] if (changes := show.changelog(ended.changes)) else []
    if ended.held is not None:
        lines = [f"Requests waited {ended.held:.1f} s at most while the data changed.", "", *lines]
    return Group(
        Text(),
        Text(f"✓ Successfully updated to {ended.version}{took}", "bold green3"),
        Text.from_markup("\n".join(["", *lines]) if lines else ""),
    )


def failed(ended: Deployment) -> RenderableType:
    return Text.from_markup("\n".join(["", *show.failure(ended)]))
