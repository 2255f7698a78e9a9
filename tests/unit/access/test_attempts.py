"""Guessing is slowed, and nobody else is."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.access.attempts import FREE_TRIES, LONGEST_WAIT_S, MOST_ADDRESSES, MOST_WAITING, Attempts, block_of
from orchestrator.errors import TooManyTries

GUESSER, OTHER = "203.0.113.7", "203.0.113.8"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def guess(attempts: Attempts, address: str = GUESSER, digest: str = "wrong") -> float:
    """Send a wrong secret. Returns for how long the address must wait, 0 if the secret was looked up."""
    try:
        async with attempts.turn(address, digest):
            attempts.wrong(address)
    except TooManyTries as error:
        return error.wait_s
    return 0


async def test_the_wait_doubles_up_to_a_minute_and_is_forgotten() -> None:
    clock = Clock()
    attempts = Attempts(clock)

    free = [await guess(attempts) for _ in range(FREE_TRIES)]
    waits = []
    for _ in range(9):
        waits.append(await guess(attempts))
        clock.now_s += waits[-1]
        assert await guess(attempts) == 0
    clock.now_s += 3600
    later = [await guess(attempts) for _ in range(FREE_TRIES)]

    assert free == later == [0] * FREE_TRIES
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]


async def test_other_addresses_and_secrets_that_were_accepted_do_not_wait() -> None:
    attempts = Attempts(Clock())
    attempts.accepted("good")
    for _ in range(FREE_TRIES):
        await guess(attempts)

    async with attempts.turn(GUESSER, "good"), attempts.turn(OTHER, "new"):
        pass
    with pytest.raises(TooManyTries):
        async with attempts.turn(GUESSER, "new"):
            pass


async def test_guesses_that_are_sent_at_once_are_counted_as_well() -> None:
    attempts = Attempts(Clock())
    looked_up = 0

    async def look_up() -> None:
        nonlocal looked_up
        async with attempts.turn(GUESSER, "wrong"):
            await asyncio.sleep(0)
            looked_up += 1
            attempts.wrong(GUESSER)

    results = await asyncio.gather(*(look_up() for _ in range(MOST_WAITING * 4)), return_exceptions=True)

    assert looked_up == FREE_TRIES
    assert sum(isinstance(one, TooManyTries) for one in results) == MOST_WAITING * 4 - FREE_TRIES


async def test_guesses_from_many_addresses_take_no_more_memory() -> None:
    attempts = Attempts(Clock())

    for number in range(MOST_ADDRESSES + 10):
        await guess(attempts, f"host-{number}")

    assert len(attempts._tries) == MOST_ADDRESSES


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_the_addresses_of_one_ipv6_network_are_one(address: object, host: int) -> None:
    network = int(address) >> 64 << 64  # type: ignore[call-overload]
    neighbour = ipaddress.IPv6Address(network | host)
    if neighbour.ipv4_mapped is None and getattr(address, "ipv4_mapped", None) is None:
        assert block_of(str(neighbour)) == block_of(str(address))
