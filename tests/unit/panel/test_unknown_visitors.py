"""What those hold of whom it is not known that they have a session is limited, in total and by address."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from panel.web.unknown_visitors import CLOSING_S, Places
from tests.support import virtual_time


def test_one_address_takes_no_place_of_another() -> None:
    places = Places(most=5, most_of_address=2)
    with ExitStack() as held:
        first = [held.enter_context(places.one("192.0.2.1")) for _ in range(9)]
        others = [held.enter_context(places.one("192.0.2.2")) for _ in range(3)]
        third = [held.enter_context(places.one("192.0.2.3")) for _ in range(2)]

    assert first == [True] * 2 + [False] * 7
    assert others == [True, True, False]
    assert third == [True, False], "all together have a limit"


def test_a_place_is_given_back_whatever_happens_and_one_that_was_refused_is_none() -> None:
    places = Places(most=5, most_of_address=1)
    for error in (ValueError, KeyError):
        try:
            with places.one("a") as first, places.one("a") as second:
                assert (first, second) == (True, False)
                raise error
        except error:
            pass

    assert len(places) == 0
    with places.one("a") as again:
        assert again


def test_a_place_that_is_taken_for_some_time_is_given_back_after_it() -> None:
    async def story() -> list[bool]:
        places = Places(most=5, most_of_address=1)
        first = [places.take_for("a", 10), places.take_for("a", 10)]
        await asyncio.sleep(11)
        return [*first, places.take_for("a", 10)]

    assert virtual_time.run(story()) == [True, False, True]


async def test_the_time_is_that_of_the_server() -> None:
    config = Config(lambda: None)
    config.load()
    assert WebSocketsSansIOProtocol(config, ServerState(), {}).close_timeout == CLOSING_S
    assert config.ws_protocol_class is WebSocketsSansIOProtocol
