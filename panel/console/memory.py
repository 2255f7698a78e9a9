"""The conversation, kept outside of the event loop. A store that is away for a moment costs nothing but the keeping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.session.turns import Turn, Turns
from panel.session.unavailable import StoreUnavailable
from panel.uninterrupted import in_thread


class Memory:
    """`turns` is set where it is known who uses the panel; until then nothing is kept. `state` gives what the dashboard
    shows, as plain JSON, in the event loop.

    Its methods are called from the event loop and await their thread to its end.
    """

    def __init__(self, client: Client, state: Callable[[], dict[str, Any]]) -> None:  # Any: plain JSON
        self._client = client
        self._state = state
        self._person = ""
        self.turns: Turns | None = None
        self.problem = ""
        """Why the last turn is not kept; empty if it is."""

    async def load(self) -> tuple[Turn, ...]:
        """What was said before, the oldest first; nothing if the store does not answer."""
        if self.turns is None:
            return ()
        person = await self._who()
        try:
            found = await in_thread(self.turns.load, person)
        except StoreUnavailable as error:
            self.problem = str(error)
            return ()
        self.problem = ""
        return found

    async def begin(self, line: str) -> int | None:
        """Keep what was asked; None if it is not kept."""
        if self.turns is None:
            return None
        state = self._state()
        person = await self._who()
        try:
            turn = await in_thread(self.turns.begin, person, line, state)
        except StoreUnavailable as error:
            self.problem = str(error)
            return None
        self.problem = ""
        return turn

    async def answer(self, turn: int | None, response: str) -> None:
        """Keep the answer to a turn that was kept."""
        if self.turns is None or turn is None:
            return
        try:
            await in_thread(self.turns.answer, turn, response)
        except StoreUnavailable as error:
            self.problem = str(error)

    async def _who(self) -> str:
        """The name of the token; empty if the orchestrator does not say it now."""
        if not self._person:
            try:
                self._person = (await self._client.session()).token
            except ClientError:
                return ""
        return self._person
