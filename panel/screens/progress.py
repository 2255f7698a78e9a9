"""The progress of a deployment and its result: complete with its changelog, or failed with its cause and log."""

from __future__ import annotations

import secrets
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from textual import work
from textual.app import App as TextualApp
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App, Deployment, DeploymentKind, DeploymentState
from panel.clock import Clock, utc_now
from panel.screens import interruptions
from panel.screens.deployment_screen import DeploymentScreen
from panel.screens.question import QuestionScreen
from panel.screens.whole import is_whole
from panel.text.markup import inline
from panel.text.result import as_text, complete, failed
from panel.widgets.estimate_bar import EstimateBar
from panel.widgets.key_line import KeyLine
from panel.widgets.outcome_text import OutcomeText
from panel.widgets.steps import StepList
from panel.widgets.title_line import TitleLine
from panel.widgets.undo_list import UndoList, undo_lines

DOING: dict[str, str] = {
    DeploymentKind.DEPLOY: "UPDATING",
    DeploymentKind.ROLLBACK: "ROLLING BACK",
    DeploymentKind.RESTORE: "RESTORING",
}
SWITCHING = "the traffic is being switched. Roll back with B once it is live."
UNDOING = "it has failed, and what it has done is being undone."
CANCELLING = "The deployment is being cancelled already: what it has done is undone."
OUTCOME_INDENT = 4
COPIED_WIDTH = 80
"""Cells of a line of what is copied."""
NOT_LIVE = (DeploymentState.FAILED, DeploymentState.CANCELLED)


class ProgressScreen(DeploymentScreen):
    BINDINGS = [
        Binding("enter", "leave", "Back", key_display="Enter", tooltip="Go back; the deployment goes on"),
        Binding("escape", "cancel", "Cancel", show=False, tooltip="Ask, and cancel the deployment before its switch"),
        Binding("t,T", "try_again", "Try again", key_display="T", tooltip="Deploy what failed once more"),
        Binding("c,C", "copy", "Copy", key_display="C", tooltip="Copy how the deployment ended, as text"),
    ]
    TICK_S = 0.5

    def __init__(self, client: Client, app_name: str, deployment: str, clock: Clock = utc_now) -> None:
        super().__init__(client, app_name, deployment)
        self._clock = clock
        self._age = ""
        """Of what time everything is that the panel shows, and why it is no newer; empty if it is new."""
        self._ended: Deployment | None = None
        self._app_then: App | None = None
        """The app as it was when the deployment had ended."""
        self._led_to = 0.0
        """Where the progress was scrolled to from here."""
        self._is_cancelled = False
        """Whether its cancel was asked for here."""
        self._question: QuestionScreen | None = None
        """The one whether to cancel, which was asked last."""

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with Vertical(classes="dialog -tall", id="progress") as dialog:
            dialog.border_title = self._title()
            with VerticalScroll():
                yield EstimateBar()
                yield StepList()
                yield UndoList()
                yield OutcomeText()
                yield Static(id="waits")
            yield Static("", classes="keys", id="keys")
        yield KeyLine()

    def _title(self) -> Text:
        doing = DOING.get(self._progress.kind, "UPDATING")
        return Text(f"{doing} {one_line(self.app_name).upper()}…")

    def on_mount(self) -> None:
        self._follow()
        self._learn_what_it_takes()
        self.set_interval(self.TICK_S, self._redraw)
        self._redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the result are there with it."""
        if action == "try_again":
            return self._can_try_again
        if action == "copy":
            return self._ended is not None
        return super().check_action(action, parameters)

    @property
    def _can_try_again(self) -> bool:
        ended = self._ended
        can = ended is not None and ended.kind == DeploymentKind.DEPLOY and ended.state in NOT_LIVE
        return can and self._client.permission.may_deploy

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
        now = self._clock()
        self.query_one(StepList).show(self._progress, now)
        self.query_one(UndoList).show([] if self._ended else self._progress.undos.values(), now)
        self._draw_bar()
        if self._ended is None:
            self.query_one("#progress").border_title = self._title()
        self.query_one("#keys", Static).update(Text(self._keys()))
        waits = self.query_one("#waits", Static)
        is_undone = (self._progress.is_undone or self._is_cancelled) and not self._progress.decided
        is_undone = is_undone and not self.query_one(UndoList).display
        says = self._waits or ("What was done is being undone." if is_undone else "")
        says = f"[red]✗ {inline(self._age)}[/]" if self._age and not self._progress.decided else says
        waits.display = bool(says)
        # Rich's markup: Textual's own is another one, in which `[/` of a sentence is an error.
        waits.update(Text.from_markup(says, emoji=False))
        if not self._progress.decided:
            self.call_after_refresh(self._keep_in_sight)

    def _keep_in_sight(self) -> None:
        """In a low terminal, what goes on stays in sight, unless the person has scrolled."""
        if not is_whole(self):
            return
        reader, undos = self.query_one(VerticalScroll), self.query_one(UndoList)
        if reader.scroll_y != self._led_to or self._progress.decided:
            return
        row = undos.virtual_region.bottom if undos.display else self.query_one(StepList).bottom_of_current
        reader.scroll_to(y=max(0, row - reader.size.height), animate=False, immediate=True)
        self._led_to = reader.scroll_y

    def _draw_bar(self) -> None:
        progress, expected = self._progress, self._expected
        is_known = expected and progress.kind == DeploymentKind.DEPLOY and progress.states
        if not is_known or expected is None or progress.decided or progress.is_undone:
            self.query_one(EstimateBar).show(None, 0)
            return
        self.query_one(EstimateBar).show(progress.estimate(expected, self._clock()), expected.deployments)

    def _keys(self) -> str:
        if self._progress.decided:
            again = "[T] Try again  │  " if self._can_try_again else ""
            return f"{again}[C] Copy  │  [Enter] Continue" if self._ended else "[Enter] Continue"
        leave = "[Enter] Leave it running"
        if self._progress.is_undone or self._is_cancelled or not self._client.permission.may_deploy:
            return leave
        return f"[Esc] Cancel{'' if self._progress.can_cancel else ' (not safe any more)'}  │  {leave}"

    async def _show_outcome(self) -> None:
        ended = await self._client.deployment(self.deployment)
        live = ended.state == DeploymentState.LIVE
        app = await self._app_now()
        if not is_whole(self):
            return
        is_update = ended.kind == DeploymentKind.DEPLOY
        warnings = self._progress.warnings
        self._ended, self._app_then = ended, app

        def says(width: int) -> RenderableType:
            return complete(ended, app, warnings) if live and is_update else failed(ended, app, self._undone(width))

        well = ended.state in (DeploymentState.LIVE, DeploymentState.UNCHANGED)
        dialog = self.query_one("#progress")
        dialog.border_title = Text(
            f"{('DEPLOYMENT' if warnings else 'UPDATE') if is_update else one_line(ended.kind).upper()} "
            f"{'COMPLETE' if live else one_line(ended.state).upper().replace('_', ' ')}"
        )
        dialog.set_class(not well, "-failed")
        dialog.set_class(well, "-complete")
        self.query_one(OutcomeText).tell(says)
        self.refresh_bindings()
        self._redraw()

    def _undone(self, width: int) -> list[str]:
        """Markup for each undo, with its mark and its seconds, in lines of so many cells."""
        shown = [one for one in self._progress.undos.values() if one.is_shown]
        return [f"  {line.markup}" for line in undo_lines(shown, self._clock(), width - OUTCOME_INDENT)[1:]]

    async def _app_now(self) -> App | None:
        """The app as it is now; None, after a notice with the error, when the request fails."""
        try:
            return await self._client.app(self.app_name)
        except ClientError as error:
            self.notify(str(error), severity="error", markup=False)
            return None

    def action_cancel(self) -> None:
        if self._progress.decided or not self._client.permission.may_deploy:
            self.action_leave()
            return
        if self._is_cancelled:
            self.notify(CANCELLING)
            return
        if not self._progress.can_cancel:
            why = UNDOING if self._progress.is_undone else SWITCHING
            self.notify(f"The deployment cannot be cancelled: {why}", severity="warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._is_cancelled = True
                self._redraw()
                # The app's, not this screen's: whoever leaves at once has cancelled it nevertheless.
                self.app.run_worker(self._cancel(self.app), group="changes")

        self._question = interruptions.cancel(self.app_name, self.deployment, self._progress.current)
        self.app.push_screen(self._question, answered)

    async def _cancel(self, app: TextualApp[Any]) -> None:
        try:
            await self._client.cancel(self.deployment)
        except ClientError as error:
            self._is_cancelled = False
            app.notify(str(error), severity="error", markup=False)

    def action_try_again(self) -> None:
        """Deploy what failed once more, and show that."""
        if self._ended and self._can_try_again:
            self._try_again(self._ended)

    @work(exclusive=True, group="again")
    async def _try_again(self, ended: Deployment) -> None:
        key = secrets.token_hex(8)
        try:
            asked = await self._client.deploy(self.app_name, ended.revision or ended.ref, idempotency_key=key)
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if is_whole(self) and self.app.screen is self:
            self.app.switch_screen(ProgressScreen(self._client, self.app_name, asked.id, self._clock))

    def action_copy(self) -> None:
        """Put how it ended into the clipboard, by OSC 52: the terminal, or the page in the browser, keeps it."""
        if self._ended:
            self.app.copy_to_clipboard(as_text(self._ended, self._app_then, self._undone(COPIED_WIDTH)))
            self.notify("Copied as text.", timeout=3)

    def action_leave(self) -> None:
        self.app.pop_screen()
