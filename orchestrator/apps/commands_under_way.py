"""The one-off commands of one app that are under way, and their terminals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.engine.terminal import Terminal
from orchestrator.errors import EngineError, Refused, UnknownTerminal

MOST_AT_ONCE = 4
ENDED_WITHIN_S = 60.0
"""How long it may take to end a command: to kill its process, and to remove its container. Docker may be busy."""


class CommandsUnderWay:
    """Each is a task, which holds `taking_part`. Used on the event loop alone."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[object]] = set()
        self._ended: dict[asyncio.Task[object], Refused] = {}
        self._inside: dict[asyncio.Task[object], str] = {}
        self._terminals: dict[str, Terminal] = {}

    @property
    def count(self) -> int:
        return len(self._tasks)

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """For the task that runs a command. Raises Refused when MOST_AT_ONCE are under way, and when it was ended."""
        if len(self._tasks) >= MOST_AT_ONCE:
            raise Refused(
                f"{MOST_AT_ONCE} one-off commands of {self._app} are under way.", "Wait until one of them ends."
            )
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task in self._ended:
                raise self._ended[task] from None
            raise
        finally:
            self._tasks.discard(task)
            self._ended.pop(task, None)

    async def until_ended(self, within_s: float, because: Refused) -> int:
        """Wait for all of them, at most `within_s` seconds; then end the rest. Returns how many were ended.

        Those who wait for these get the error `because`. Nothing may begin meanwhile. Raises EngineError when one is
        not ended within ENDED_WITHIN_S.
        """
        waited_for = set(self._tasks)
        if not waited_for:
            return 0
        _, late = await asyncio.wait(waited_for, timeout=within_s)
        for task in late:
            self._ended[task] = because
            task.cancel()
        if late:
            _, still = await asyncio.wait(late, timeout=ENDED_WITHIN_S)
            if still:
                raise EngineError(
                    f"{len(still)} of the one-off commands of {self._app} that were ended still run after "
                    f"{ENDED_WITHIN_S:g} s.",
                    "See what keeps their processes or containers: docker ps. Ask again when they have ended.",
                )
        return len(late)

    @contextmanager
    def running_in(self, container: str) -> Iterator[None]:
        """For the task that runs a command inside the container of a release."""
        task = asyncio.current_task()
        assert task is not None
        self._inside[task] = container
        try:
            yield
        finally:
            del self._inside[task]

    def are_in(self, container: str) -> bool:
        """Whether a command runs inside this container."""
        return container in self._inside.values()

    @contextmanager
    def attended(self, number: str, terminal: Terminal | None) -> Iterator[None]:
        """While this is held, the terminal, if there is one, is found by its number, which nobody can guess."""
        if terminal:
            self._terminals[number] = terminal
        try:
            yield
        finally:
            self._terminals.pop(number, None)

    def terminal(self, number: str) -> Terminal:
        """Raises UnknownTerminal."""
        if found := self._terminals.get(number):
            return found
        raise UnknownTerminal(f"{self._app} has no such terminal: its command has ended.")
