"""One-off commands in an app's active release: in a container of their own, or inside the active one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from border.secrets import may_be_secret
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.engine.base import LABEL_APP, LABEL_ONE_OFF, Role
from orchestrator.engine.terminal import Input, Terminal
from orchestrator.errors import Refused, UnknownTerminal

TERM = "xterm-256color"
MOST_AT_ONCE = 4
"""One-off commands of one app at a time."""


class Place(StrEnum):
    """`run`: a new container with the app's environment, data and limits. `exec`: inside the active container."""

    RUN = "run"
    EXEC = "exec"


@dataclass(frozen=True)
class OneOff:
    """A command with more environment variables; `timeout_s` is in seconds."""

    place: Place
    command: tuple[str, ...]
    env: Mapping[str, str]
    timeout_s: float
    stdin: Input = None
    """What it reads from its standard input."""


@dataclass(frozen=True)
class Ended:
    """How it ended: its exit code, and whether it was killed after its time limit."""

    exit_code: int
    late: bool


class Turns:
    """How many one-off commands of each app are under way, and their terminals. Used on the event loop alone."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self._terminals: dict[tuple[str, str], Terminal] = {}

    @contextmanager
    def take(self, app: str) -> Iterator[None]:
        """Raises Refused when MOST_AT_ONCE are under way."""
        if self._under_way[app] >= MOST_AT_ONCE:
            raise Refused(f"{MOST_AT_ONCE} one-off commands of {app} are under way.", "Wait until one of them ends.")
        self._under_way[app] += 1
        try:
            yield
        finally:
            self._under_way[app] -= 1

    @contextmanager
    def attended(self, app: str, number: str, terminal: Terminal | None) -> Iterator[None]:
        """While this is held, the terminal, if there is one, is found by its number, which nobody can guess."""
        if terminal:
            self._terminals[app, number] = terminal
        try:
            yield
        finally:
            self._terminals.pop((app, number), None)

    def terminal(self, app: str, number: str) -> Terminal:
        """Raises UnknownTerminal."""
        if found := self._terminals.get((app, number)):
            return found
        raise UnknownTerminal(f"{app} has no such terminal: its command has ended.")


async def carry_out(context: AppContext, wanted: OneOff, on_line: Callable[[str], None]) -> Ended:
    """Run the command to its end. If the task is cancelled, it is ended before the cancel continues.

    Raises Refused when no release is live, EngineError when the command cannot be started.
    """
    active = context.live_release()
    context.known_secrets.know(value for name, value in wanted.env.items() if may_be_secret(name, value))
    if wanted.place is Place.EXEC:
        code, late = await context.engine.execute(
            active.container,
            wanted.command,
            {**_terminal_env(wanted), **wanted.env},
            wanted.timeout_s,
            on_line,
            wanted.stdin,
        )
        return Ended(code, late)
    spec = container_spec(context, active, Role.SIDECAR, context.sidecar_name(active, "run"), wanted.command)
    spec = replace(
        spec, env={**_terminal_env(wanted), **spec.env, **wanted.env}, labels=spec.labels | {LABEL_ONE_OFF: "run"}
    )
    spec = replace(spec, stdin=wanted.stdin)
    status, late = await context.engine.run_to_end(spec, wanted.timeout_s, on_line)
    return Ended(status.exit_code, late)


def _terminal_env(wanted: OneOff) -> dict[str, str]:
    """Docker gives a terminal TERM=xterm only where the environment is its own."""
    return {"TERM": TERM} if isinstance(wanted.stdin, Terminal) else {}


async def end_all(context: AppContext) -> None:
    """End the app's one-off commands in containers of their own. Their readers are told. Raises EngineError."""
    for one in await context.engine.containers():
        if one.labels.get(LABEL_APP) == context.name and LABEL_ONE_OFF in one.labels:
            await context.engine.remove(one.name)
