"""Reads the form of the sign-in page, of limited size and within a limited time, and slows guessing by address."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import Request

LARGEST_BYTES = 4096
WITHIN_S = 10.0
FREE_TRIES = 5
"""Tries to sign in that an address may make before it has to wait."""
LONGEST_WAIT_S = 60.0
FORGOTTEN_AFTER_S = 900.0
MOST_ADDRESSES = 10_000


class FormRefused(Exception):
    """The form is too large, came too slowly, or is not a form."""


async def token_of(request: Request) -> str:
    """The token in the form. Raises FormRefused; no more than LARGEST_BYTES are kept."""
    body = b""
    try:
        async with asyncio.timeout(WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BYTES:
                    raise FormRefused("the form is too large")
    except TimeoutError as error:
        raise FormRefused("the form came too slowly") from error
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError as error:
        raise FormRefused("the form cannot be read") from error
    return fields.get("token", [""])[-1].strip()


@dataclass
class _Tries:
    count: int = 0
    last: float = 0.0
    blocked_until: float = 0.0


def _until(tries: _Tries) -> float:
    """The moment until which the address waits."""
    if tries.count < FREE_TRIES:
        return 0.0
    return tries.last + min(LONGEST_WAIT_S, 2.0 ** min(tries.count - FREE_TRIES, 10))


class SignInAttempts:
    """Counts tries to sign in that did not succeed, by address. Used on the event loop only.

    After FREE_TRIES of them, an address waits before its next try: 1 s, then twice as long each time, up to
    LONGEST_WAIT_S. A try counts from its beginning, so that many at once are counted, too.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def begin(self, address: str) -> float:
        """Count a try, and return 0; or return for how many seconds the address has to wait."""
        moment = self._clock()
        tries = self._tries.setdefault(address, _Tries())
        self._tries.move_to_end(address)
        if len(self._tries) > MOST_ADDRESSES:
            self._tries.popitem(last=False)
        if moment - tries.last > FORGOTTEN_AFTER_S:
            tries.count = 0
        if moment < tries.blocked_until:
            return tries.blocked_until - moment
        tries.count += 1
        tries.last = moment
        tries.blocked_until = _until(tries)
        return 0

    def told_nothing(self, address: str) -> None:
        """The orchestrator has not said whether the token was right: the try does not count."""
        if tries := self._tries.get(address):
            tries.count = max(0, tries.count - 1)
            tries.blocked_until = _until(tries)

    def succeeded(self, address: str) -> None:
        self._tries.pop(address, None)
