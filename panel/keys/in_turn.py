"""Keys one at a time.

Textual gives a key to the widget that has the keyboard when the key arrives. It goes up from there to the app, which
knows what it does, and may give the keyboard to another widget. A key that arrives in between, as the letters after `:`
do on a slow line, would still go to the first one, and be a command there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

LONGEST_S = 1.0
"""So long the next key waits at the most: a widget that is removed meanwhile does not say that it is done."""


class KeysInTurn(App[int]):
    """Looks at a key, or at what is pasted, when all that the one before does is done."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: as Textual has it
        super().__init__(*arguments, **named)
        self._in_hand: events.Key | events.Paste | None = None
        self._keys_waiting: deque[events.Key | events.Paste] = deque()
        self._until: asyncio.TimerHandle | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._in_hand not in (None, event):
            self._keys_waiting.append(event)
            return
        self._in_hand = event
        begins_at = self.focused or self.screen
        await super().on_event(event)
        # Twice at the app: by then it has also done what it put off.
        way = deque[MessagePump]([*begins_at.ancestors_with_self, self])
        self._until = asyncio.get_running_loop().call_later(LONGEST_S, self._take_next, event)
        self._go_up(way, event)

    def _go_up(self, way: deque[MessagePump], event: events.Event) -> None:
        """After all that waits at the next one of these, as the key does, go on to the one after it."""
        while way:
            if way.popleft().call_later(self._go_up, way, event):
                return
        self._take_next(event)

    def _take_next(self, after: events.Event) -> None:
        if self._in_hand is not after:
            return
        if self._until:
            self._until.cancel()
        self._in_hand = self._keys_waiting.popleft() if self._keys_waiting else None
        if self._in_hand:
            self.post_message(self._in_hand)
