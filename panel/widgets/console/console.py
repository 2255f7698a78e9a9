"""The console: commands in plain words at the bottom of the dashboard."""

from __future__ import annotations

import asyncio
import time

from textual import work
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual_autocomplete import DropdownItem

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.clock import Clock
from panel.console.answer import Answer
from panel.console.answers.asked import Asked
from panel.console.answers.of_all import ANSWERS
from panel.console.changes import CHANGES, Change
from panel.console.completion import asks_versions_of, completions
from panel.console.memory import Memory
from panel.console.recall import Recall
from panel.console.understood import NotUnderstood, Understood, read
from panel.preferred import times_of
from panel.screens.app_keys import AppKeys
from panel.screens.progress import ProgressScreen
from panel.widgets.console.dropdown import Dropdown
from panel.widgets.console.line import ConsoleLine
from panel.widgets.console.transcript import Exchange, Transcript

MOST_AT_ONCE = 5
"""Commands that wait for their answer at the same time."""
VERSIONS_FOR_S = 60.0
"""How long known versions are completed before the source is asked again."""
NOT_CONFIRMED = "Not confirmed, nothing was done."
BUSY = "Several commands wait for their answer. Wait for one of them."
HAS_GONE_ON = "You have gone on meanwhile, so you are not asked now. Enter it again to be asked. Nothing was done."


class Console(Vertical):
    """Hidden, and empty, until `open`. Each command has a worker of its own; what changes something asks first, and
    only a person who still looks at the console with an empty line: otherwise the next key would be the answer.
    """

    DEFAULT_CSS = """
    Console { display: none; height: auto; max-height: 60%; background: $surface; border-top: solid $primary; }
    Console.-open { display: block; }
    Console > Horizontal { height: 1; padding: 0 1; }
    Console #prompt { width: 2; text-style: bold; }
    """

    def __init__(self, client: Client, clock: Clock, memory: Memory) -> None:
        super().__init__(id="console")
        self._client = client
        self._clock = clock
        self._memory = memory
        self._waiting = 0
        self._line: ConsoleLine | None = None
        self._versions: dict[str, tuple[str, ...]] = {}
        self._versions_at: dict[str, float] = {}

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    @property
    def draft(self) -> str:
        """What is typed and not entered."""
        return self._line.value if self._line else ""

    def open(self, draft: str | None = None) -> None:
        """Show it and type into it; with a `draft`, go on with that."""
        self.add_class("-open")
        if self._line is None:
            self._line = self._made()
            self._load()
        if draft is not None:
            with self._line.prevent(Input.Changed):
                self._line.value = draft
                self._line.cursor_position = len(draft)
        self.screen.set_focus(self._line)

    def _made(self) -> ConsoleLine:
        """What it consists of, which most pages never need."""
        line = ConsoleLine()
        dropdown = Dropdown(line, candidates=lambda state: self._candidates(state.text[: state.cursor_position]))
        self.mount(Transcript(), Horizontal(Static(":", id="prompt"), line), dropdown)
        return line

    def close(self) -> None:
        """Hide it. The draft stays."""
        self.remove_class("-open")
        self.screen.focus_next()

    def on_console_line_left(self) -> None:
        self.close()

    def on_input_changed(self, event: Input.Changed) -> None:
        app = asks_versions_of(event.value, self._apps)
        if app and time.monotonic() - self._versions_at.get(app, -VERSIONS_FOR_S) >= VERSIONS_FOR_S:
            self._versions_at[app] = time.monotonic()
            self._learn(app)

    def on_console_line_entered(self, event: ConsoleLine.Entered) -> None:
        exchange = Exchange(event.text, "Asked.")
        self.query_one(Transcript).add(exchange)
        if self._waiting >= MOST_AT_ONCE:
            self._show(exchange, Answer(BUSY, failed=True))
            return
        self._waiting += 1
        self._answer(exchange)

    @work(group="console")
    async def _answer(self, exchange: Exchange) -> None:
        """To the end, whatever is shown meanwhile."""
        try:
            turn = await self._memory.begin(exchange.line)
            answer = (await self._answered(exchange)).limited()
            self._show(exchange, answer)
            await self._memory.answer(turn, answer.text)
        finally:
            self._waiting -= 1

    async def _answered(self, exchange: Exchange) -> Answer:
        times = times_of(self)
        now = times.local(self._clock())
        meant = read(exchange.line, self._apps, now, self._selected)
        if isinstance(meant, NotUnderstood):
            return Answer(meant.says, suggestions=meant.suggestions, failed=True)
        try:
            answer = await self._done(exchange, Asked(self._client, meant, now, times))
        except ClientError as error:
            return Answer("\n".join([str(error), *error.log]), _command_line(meant), failed=True)
        return _read_as(answer, meant)

    async def _done(self, exchange: Exchange, asked: Asked) -> Answer:
        name = asked.meant.command.name
        if name in ANSWERS:
            return await ANSWERS[name](asked)
        step = await CHANGES[name](asked)
        while isinstance(step, Change):
            if not self._may_ask:
                return Answer(HAS_GONE_ON, failed=True)
            if not await self._confirmed(step.question):
                return Answer(NOT_CONFIRMED, asked.command_line(), failed=True)
            exchange.waiting = step.waiting
            self._draw()
            step = await step.act()
        return step

    @property
    def _may_ask(self) -> bool:
        return self.is_attached and self.app.screen is self.screen and self.is_open and not self.draft

    async def _confirmed(self, question: ModalScreen[bool]) -> bool:
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def take(yes: bool | None) -> None:
            if not answered.done():
                answered.set_result(bool(yes))

        self.app.push_screen(question, take)
        return await answered

    def _show(self, exchange: Exchange, answer: Answer) -> None:
        exchange.answer = answer
        if not self.is_attached or not self.app.is_running:
            return
        self._draw()
        self.query_one(ConsoleLine).suggestion = answer.suggestions[0] if answer.suggestions else ""
        if answer.follows and self._may_ask:
            self.app.push_screen(ProgressScreen(self._client, *answer.follows, self._clock))
        if answer.opens and self._may_ask:
            self.app.open_url(answer.opens)

    def _draw(self) -> None:
        if self.is_attached and self.app.is_running:
            self.query_one(Transcript).draw()

    @work(group="console")
    async def _load(self) -> None:
        """What was said before, above what is said now."""
        turns = await self._memory.load()
        if turns and self.is_attached and self.app.is_running:
            self.query_one(Transcript).restore(turns)
            self.query_one(ConsoleLine).recall = Recall(one_line(turn.user_input) for turn in turns)

    @work(group="console")
    async def _learn(self, app: str) -> None:
        """The versions of an app, for the completion."""
        try:
            found = await self._client.versions(app)
        except ClientError:
            return  # the answer to the command will say it
        self._versions[app] = tuple(one_line(one.version) for one in found)

    def _candidates(self, typed: str) -> list[DropdownItem]:
        return [DropdownItem(line) for line in completions(typed, self._apps, self._versions, self._selected)]

    @property
    def _apps(self) -> tuple[str, ...]:
        screen = self.screen
        return tuple(app.name for app in screen.apps) if isinstance(screen, AppKeys) else ()

    @property
    def _selected(self) -> str:
        screen = self.screen
        return screen.selected if isinstance(screen, AppKeys) else ""


def _command_line(meant: Understood) -> str:
    return meant.command.command_line(meant.values)


def _read_as(answer: Answer, meant: Understood) -> Answer:
    if not meant.read_as:
        return answer
    return Answer(
        f"Read as: {meant.read_as}\n{answer.says}", answer.command_line, answer.suggestions, answer.failed,
        answer.opens, answer.follows,
    )  # fmt: skip
