"""Places for those of whom it is not known that they have a session: what strangers hold is limited.

A WebSocket holds its connection for as long as it is open, and for seconds more while it is closed with a code for its
page. Without a limit, a thousand of them held every connection that the panel has.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MOST_ASKED_FOR, MOST_ASKED_FOR_OF_ADDRESS = 200, 40
"""Sockets whose session is being looked up, in total and by address. All pages ask at once after an update."""
MOST_TURNED_AWAY, MOST_TURNED_AWAY_OF_ADDRESS = 40, 4
"""Sockets without a session that are opened to tell their page so. Others are refused before they are opened: a page
tries again."""


CLOSING_S = 10.0
"""So long a socket that is closed with a code may stay open, waiting for the other side's answer to it: `close_timeout`
of uvicorn's WebSocketsSansIOProtocol. Nothing tells when it is over."""


class Places:
    """Used on the event loop only."""

    def __init__(self, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    @contextmanager
    def one(self, address: str) -> Iterator[bool]:
        """Whether there is a place, which is taken meanwhile."""
        has_place = self._take(address)
        try:
            yield has_place
        finally:
            if has_place:
                self._give_back(address)

    def take_for(self, address: str, seconds: float) -> bool:
        """Whether there is a place, which is taken for so long."""
        if not self._take(address):
            return False
        asyncio.get_running_loop().call_later(seconds, self._give_back, address)
        return True

    def _take(self, address: str) -> bool:
        if len(self) >= self._most or self._taken[address] >= self._most_of_address:
            return False
        self._taken[address] += 1
        return True

    def _give_back(self, address: str) -> None:
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]
