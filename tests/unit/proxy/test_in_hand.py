"""What an app has in hand now is asked by many, as often as they like: HAProxy lists its sessions for few of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.domain.in_hand import InHand
from tests.support.fakes.haproxy_sockets import HAProxySockets
from tests.unit.proxy.test_failed_changes import prepared
from tests.unit.proxy.test_session_kinds import details

LIST = "show sess all"


async def test_however_many_ask_at_once_the_sessions_are_listed_twice(tmp_path: Path) -> None:
    async with HAProxySockets(tmp_path) as sockets:
        proxy = await prepared(sockets)
        sockets.sessions = details("0x1", "app_1_blue", "DONE", "DATA") + details("0x2", "app_2_blue", "DONE", "DATA")

        answers = await asyncio.gather(*(proxy.in_hand("shop", Colour.BLUE) for _ in range(30)))

        assert answers == [InHand(streams=1)] * 30
        assert sockets.exchanges.count(LIST) <= 2


async def test_nothing_is_listed_for_who_serves_nothing(tmp_path: Path) -> None:
    async with HAProxySockets(tmp_path) as sockets:
        proxy = await prepared(sockets)
        sockets.sessions = details("0x2", "app_2_blue", "DONE", "DATA")

        assert await proxy.in_hand("shop", Colour.BLUE) == InHand()
        assert LIST not in sockets.exchanges


async def test_what_the_standby_answers_in_the_place_of_a_colour_is_its_own_unless_it_is_asked_for(
    tmp_path: Path,
) -> None:
    async with HAProxySockets(tmp_path) as sockets:
        proxy = await prepared(sockets)
        sockets.sessions = details("0x1", "app_1_blue", "DONE", "DATA", server="fallback")

        assert await proxy.in_hand("shop", Colour.BLUE) == InHand()
        assert await proxy.in_hand("shop", Colour.GREEN) == InHand(streams=1)
        assert await proxy.in_hand("shop", Colour.BLUE, instead=True) == InHand(streams=1)
