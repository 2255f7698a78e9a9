"""A question before something that cannot be taken back at once. The answer is No unless the person presses Y."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.console import Group
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line
from panel.client.errors import ClientError, NotFound
from panel.client.model import Plan, Slot
from panel.client.version_model import Version
from panel.screens.whole import is_whole
from panel.session.state import OpenQuestion
from panel.text.shortened import shortened

LONGEST_QUESTION = 120
"""Cells. The question is never scrolled out of sight: its names stand whole above it."""

AsksPlan = Callable[[], Awaitable[Plan]]
"""Asks for the plan of what the question is about. Raises ClientError."""


class QuestionScreen(ModalScreen[bool]):
    """Its result is True for yes. Enter and Escape mean no. With `plan`, it says what a yes costs those who use the app
    now, as soon as that is answered.
    """

    BINDINGS = [
        Binding("y,Y", "answer(True)", "Yes", tooltip="Do it"),
        Binding("n,N,enter,escape", "answer(False)", "No", tooltip="Do nothing"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(
        self,
        title: str,
        consequences: tuple[str, ...],
        question: str,
        plan: AsksPlan | None = None,
        survives: OpenQuestion | None = None,
    ) -> None:
        super().__init__()
        self.survives = survives
        """How it is asked again in another process of the session; None: it is not."""
        self._plan = plan
        self._title = title
        self._consequences = consequences
        self._question = question

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = Text(one_line(self._title))
            said = (Text(one_line(sentence)) for sentence in self._consequences)
            yield Static(Group(*said))
            if self._plan:
                yield Static(id="cost")
            asks = shortened(one_line(self._question), LONGEST_QUESTION)
            yield Static(Text(f"{asks} [y/N]", "bold"), classes="question")

    def on_mount(self) -> None:
        if self._plan:
            self._say_cost(self._plan)

    @work
    async def _say_cost(self, plan: AsksPlan) -> None:
        """What is connected now, what becomes of it, and what is done to the data."""
        try:
            cost = (await plan()).cost
        except NotFound:
            return  # an older orchestrator: the question stands without it
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if is_whole(self):
            self.query_one("#cost", Static).update(Group(*(Text(one_line(sentence), "yellow") for sentence in cost)))

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def deploy_again(app: str, active: Slot, plan: AsksPlan) -> QuestionScreen:
    """The question before the live release is deployed with the configuration as it is now."""
    consequences = (
        f"No update of {app} is offered. Its configuration was changed since {active.version} was deployed.",
        f"{active.version} is built, verified and switched to again, with the configuration as it is now.",
    )
    asks = f"Deploy {active.version} with the changed configuration?"
    return QuestionScreen(f"DEPLOY {app.upper()} AGAIN", consequences, asks, plan)


def roll_back(app: str, standby: Slot, active: Slot | None, plan: AsksPlan) -> QuestionScreen:
    """The question before the traffic goes to the standby."""
    live = active.version if active else "no release"
    consequences: tuple[str, ...] = (f"{standby.version} on {standby.colour} gets the traffic instead of {live}.",)
    if standby.warning:
        consequences += (standby.warning,)
    survives = OpenQuestion(kind="rollback", app=app, about=standby.container)
    return QuestionScreen(f"ROLL BACK {app.upper()}", consequences, f"Roll {app} back?", plan, survives)


def ask_although_off(app: str) -> QuestionScreen:
    """The question before the source of an app is asked whose updates are off."""
    consequences = (f"Updates of {app} are off (update.enabled: false): its source is not asked by itself.",)
    return QuestionScreen(f"UPDATES OF {app.upper()} ARE OFF", consequences, "Ask the source for an update now?")


def deploy_version(app: str, version: Version, active: Slot | None, plan: AsksPlan) -> QuestionScreen:
    """The question before a version is deployed that was picked from the list."""
    live = active.version if active else "no release"
    consequences: tuple[str, ...] = (f"{version.version} is built, verified and switched to; {live} is live now.",)
    if version.state == "live":
        consequences = (
            f"{version.version} is live already. It is deployed again only if the configuration of {app} was changed.",
        )
    if version.is_skipped:
        consequences += (f"{version.version} is skipped; that stays so.",)
    if not version.followed:
        consequences += ("The configuration does not follow this version: the next update may be another one.",)
    return QuestionScreen(f"DEPLOY {app.upper()} {version.version}", consequences, f"Deploy {version.version}?", plan)
