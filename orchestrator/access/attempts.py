"""Slows the guessing of secrets, by address."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from orchestrator.clock import elapsed
from orchestrator.errors import TooManyTries

FREE_TRIES = 10
"""Wrong secrets that an address may send before it has to wait."""
LONGEST_WAIT_S = 60.0
FORGOTTEN_AFTER_S = 900.0
MOST_ADDRESSES = 10_000
MOST_KNOWN = 10_000


MOST_WAITING = 50
"""Secrets of one address that wait for their turn; further ones are refused."""


@dataclass
class _Tries:
    wrong: int = 0
    last: float = 0.0
    blocked_until: float = 0.0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Attempts:
    """Counts wrong secrets by address. Used on the event loop only.

    After FREE_TRIES of them, an address waits before its next try: 1 s, then twice as long each time, up to
    LONGEST_WAIT_S. While it waits, only secrets that were accepted before are looked up, so that a stranger behind the
    same address (a company's, or Docker's gateway) does not lock out those who work.
    """

    def __init__(self, clock: Callable[[], float] = elapsed) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._accepted: OrderedDict[str, None] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str, digest: str) -> AsyncIterator[None]:
        """The turn of a secret to be looked up: of those not accepted before, one at a time for each address.

        Raises TooManyTries when the address has to wait.
        """
        if digest in self._accepted:
            yield
            return
        tries = self._of(address)
        if tries.waiting >= MOST_WAITING:
            raise TooManyTries(1)
        tries.waiting += 1
        try:
            async with tries.turn:
                wait_s = tries.blocked_until - self._clock()
                if wait_s > 0:
                    raise TooManyTries(wait_s)
                yield
        finally:
            tries.waiting -= 1

    def accepted(self, digest: str) -> None:
        """Remember a secret that was accepted."""
        self._accepted[digest] = None
        self._accepted.move_to_end(digest)
        if len(self._accepted) > MOST_KNOWN:
            self._accepted.popitem(last=False)

    def wrong(self, address: str) -> None:
        """Count a wrong secret from this address."""
        tries, moment = self._of(address), self._clock()
        if moment - tries.last > FORGOTTEN_AFTER_S:
            tries.wrong = 0
        tries.wrong += 1
        tries.last = moment
        if tries.wrong >= FREE_TRIES:
            # The exponent is bounded: a float has no 2 ** 2000.
            tries.blocked_until = moment + min(LONGEST_WAIT_S, 2.0 ** min(tries.wrong - FREE_TRIES, 10))

    def _of(self, address: str) -> _Tries:
        block = block_of(address)
        tries = self._tries.setdefault(block, _Tries())
        self._tries.move_to_end(block)
        if len(self._tries) > MOST_ADDRESSES:
            self._tries.popitem(last=False)
        return tries


def block_of(address: str) -> str:
    """The address itself; for IPv6 its /64 network, all of which one machine can use."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
