"""The progress of a deployment and its result: complete with its changelog, or failed with its cause and log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from textual import work
from textual.app import App as TextualApp
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from border.plain import one_line
from panel.client import events
from panel.client.client import Client
from panel.client.errors import ClientError, Invalid, NotFound, NotSignedIn
from panel.client.events import LAST, Event
from panel.client.model import App, Deployment, DeploymentKind, DeploymentState
from panel.clock import Clock, utc_now
from panel.screens.question import QuestionScreen
from panel.screens.whole import is_whole
from panel.text.changelog import changelog
from panel.text.drain import cut_in_words, draining_in_words
from panel.text.markup import inline
from panel.text.outcome import outcome, while_file_not_used, while_paused
from panel.widgets.key_line import KeyLine
from panel.widgets.outcome_text import OutcomeText
from panel.widgets.steps import Progress, StepList
from panel.widgets.title_line import TitleLine

DOING: dict[str, str] = {
    DeploymentKind.DEPLOY: "UPDATING",
    DeploymentKind.ROLLBACK: "ROLLING BACK",
    DeploymentKind.RESTORE: "RESTORING",
}


SWITCHING = "the traffic is being switched. Roll back with B once it is live."
UNDOING = "it has failed, and what it has done is being undone."


class ProgressScreen(Screen[None]):
    """`app_name` and `deployment` are the app and deployment that are followed."""

    BINDINGS = [
        Binding("enter", "leave", "Back", key_display="Enter", tooltip="Go back; the deployment goes on"),
        Binding("escape", "cancel", "Cancel", show=False, tooltip="Ask, and cancel the deployment before its switch"),
    ]
    TICK_S = 0.5
    AGAIN_S = 1.0
    """The pause before the orchestrator is asked again, in seconds."""

    def __init__(self, client: Client, app_name: str, deployment: str, clock: Clock = utc_now) -> None:
        super().__init__()
        self._client = client
        self._clock = clock
        self.app_name = app_name
        self.deployment = deployment
        self._progress = Progress()
        self._waits = ""
        self._age = ""
        """Of what time everything is that the panel shows, and why it is no newer; empty if it is new."""
        self._after = 0
        """The id of the last event that was taken."""
        self._is_over = False
        self._owes_outcome = False
        self._has_outcome = False
        self._stopped = False
        self._question: QuestionScreen | None = None
        """The one whether to cancel, which was asked last."""

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Vertical(classes="dialog -tall", id="progress") as dialog:
            dialog.border_title = self._title()
            with VerticalScroll():
                yield StepList()
                yield OutcomeText()
                yield Static(id="waits")
            yield Static("", classes="keys", id="keys")
        yield KeyLine()

    def _title(self) -> Text:
        doing = DOING.get(self._progress.kind, "UPDATING")
        return Text(f"{doing} {one_line(self.app_name).upper()}…")

    def on_mount(self) -> None:
        self._follow()
        self.set_interval(self.TICK_S, self._redraw)
        self._redraw()

    @work
    async def _follow(self) -> None:
        """To the end. While the orchestrator does not answer, as during its upgrade, it is asked again."""
        told = ""
        while True:
            try:
                await self._follow_events()
                return
            except ClientError as error:
                if str(error) != told:
                    self.notify(str(error), severity="error", markup=False)
                    told = str(error)
                if isinstance(error, NotSignedIn | NotFound | Invalid):
                    self._stop(error)
                    return
            await self._ask_instead()
            if self._is_over:
                return
            await asyncio.sleep(self.AGAIN_S)

    async def _ask_instead(self) -> None:
        """The state of the deployment, without its events: the token may have no further stream of them."""
        with suppress(ClientError):  # told by the next try
            now = await self._client.deployment(self.deployment)
            already = self._progress.decided
            self._progress.take_record(now)
            self._owes_outcome = self._owes_outcome or (now.decided and not already)
            self._redraw()
            await self._show_owed_outcome()
            self._is_over = now.decided and (now.state != DeploymentState.LIVE or now.ended_at is not None)

    async def _follow_events(self) -> None:
        """From where it was before, to the last event and the outcome. Raises ClientError."""
        await self._show_owed_outcome()
        if self._is_over:
            return
        async for event in self._client.events(self._after, self.deployment):
            self._take(event)
            self._redraw()
            await self._show_owed_outcome()
            if self._is_over:
                return

    def _take(self, event: Event) -> None:
        already = self._progress.decided
        self._progress.take(event)
        self._after, self._is_over = event.id, event.kind in LAST
        match event.what:
            case events.Drained() if self._progress.decided:
                self._waits, self._owes_outcome = "", True
            case events.Draining() as draining:
                self._waits = f"Waits {draining_in_words(draining)}"
            case events.Waiting(cause=cause):
                self._waits = f"Waits: {inline(cause)}"
        if self._progress.decided and not already:
            self._owes_outcome = True

    async def _show_owed_outcome(self) -> None:
        if self._owes_outcome:
            await self._show_outcome()
            self._owes_outcome = False

    def _stop(self, error: ClientError) -> None:
        """Nothing more is known of the deployment: no time goes on as if it were."""
        self._waits = f"[red]✗ The deployment is not followed any more: {inline(error)}[/]"
        self._redraw()
        self._stopped = True

    def warn_of_age(self, says: str) -> None:
        """Show that what is shown is not new; nothing if it is."""
        self._age = says

    def _redraw(self) -> None:
        if is_whole(self) and not self._stopped:
            self._draw()

    def _take_back_question(self) -> None:
        """What cannot be cancelled any more is not asked about: "what it has done is undone" would not be true."""
        if self._question and self.app.screen is self._question and not self._progress.can_cancel:
            self._question.dismiss(False)
            self.notify("The deployment cannot be cancelled any more.", severity="warning")

    def _draw(self) -> None:
        self._take_back_question()
        self.query_one(StepList).show(self._progress, self._clock())
        if not self._has_outcome:
            self.query_one("#progress").border_title = self._title()
        keys = "[Enter] Continue"
        if not self._progress.decided:
            cancel = "[Esc] Cancel  │  " if self._progress.can_cancel else ""
            keys = f"{cancel}[Enter] Leave it running"
        self.query_one("#keys", Static).update(Text(keys))
        waits = self.query_one("#waits", Static)
        says = self._waits or ("What was done is being undone." if self._progress.is_undone else "")
        says = f"[red]✗ {inline(self._age)}[/]" if self._age and not self._progress.decided else says
        waits.display = bool(says)
        # Rich's markup: Textual's own is another one, in which `[/` of a sentence is an error.
        waits.update(Text.from_markup(says, emoji=False))

    async def _show_outcome(self) -> None:
        ended = await self._client.deployment(self.deployment)
        live = ended.state == DeploymentState.LIVE
        app = await self._app_now()
        if not is_whole(self):
            return
        is_update = ended.kind == DeploymentKind.DEPLOY
        warnings = self._progress.warnings
        says = complete(ended, app, warnings) if live and is_update else failed(ended, app)
        well = ended.state in (DeploymentState.LIVE, DeploymentState.UNCHANGED)
        self._has_outcome = True
        dialog = self.query_one("#progress")
        dialog.border_title = Text(
            f"{('DEPLOYMENT' if warnings else 'UPDATE') if is_update else one_line(ended.kind).upper()} "
            f"{'COMPLETE' if live else one_line(ended.state).upper().replace('_', ' ')}"
        )
        dialog.set_class(not well, "-failed")
        dialog.set_class(well, "-complete")
        self.query_one(OutcomeText).tell(says)

    async def _app_now(self) -> App | None:
        """The app as it is now; None, after a notice with the error, when the request fails."""
        try:
            return await self._client.app(self.app_name)
        except ClientError as error:
            self.notify(str(error), severity="error", markup=False)
            return None

    def action_cancel(self) -> None:
        if self._progress.decided:
            self.action_leave()
            return
        if not self._progress.can_cancel:
            why = UNDOING if self._progress.is_undone else SWITCHING
            self.notify(f"The deployment cannot be cancelled: {why}", severity="warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                # The app's, not this screen's: whoever leaves at once has cancelled it nevertheless.
                self.app.run_worker(self._cancel(self.app), group="changes")

        consequences = (f"Deployment {self.deployment} ends, and what it has done is undone.",)
        self._question = QuestionScreen(f"CANCEL {self.app_name.upper()}", consequences, "Cancel the deployment?")
        self.app.push_screen(self._question, answered)

    async def _cancel(self, app: TextualApp[Any]) -> None:
        try:
            await self._client.cancel(self.deployment)
        except ClientError as error:
            app.notify(str(error), severity="error", markup=False)

    def action_leave(self) -> None:
        self.app.pop_screen()


def complete(ended: Deployment, app: App | None = None, warnings: Sequence[str] = ()) -> RenderableType:
    """The result of a deployment that is live. `warnings`: what was said of its release, such as that it is an older
    one: then it is no update."""
    took = f" in {ended.seconds:.1f} s" if ended.seconds is not None else ""
    lines = ["Changelog:", *changes] if (changes := changelog(ended.changes)) else []
    if ended.paused is not None:
        lines = [f"New requests were paused for {ended.paused:.1f} s while the data changed.", "", *lines]
    if cut := cut_in_words(ended):
        lines = [f"[yellow]{cut}[/]", "", *lines]
    lines = [*while_paused(ended, app), *while_file_not_used(ended, app), *lines]
    says = f"{ended.version} is live" if warnings else f"Successfully updated to {ended.version}"
    return Group(
        Text(),
        Text(f"✓ {says}{took}", "bold green3"),
        *(Text(one, "yellow") for one in warnings),
        Text.from_markup("\n".join(["", *lines]) if lines else "", emoji=False),
    )


def failed(ended: Deployment, app: App | None) -> RenderableType:
    """The result of a deployment that is not live, or of a rollback or restore, with `app` as it is now."""
    return Text.from_markup(f"\n{outcome(ended, app)}", emoji=False)
