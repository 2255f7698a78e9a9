"""Event streams are limited in number, by token and in total."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest
import sqlalchemy as sa

from orchestrator.__main__ import CONNECTIONS
from orchestrator.access.caller import Caller
from orchestrator.access.gate import Gate
from orchestrator.access.rooms import COMMANDS, STREAMS, Room
from orchestrator.api.events import stream
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.errors import TooManyStreams
from orchestrator.server import Orchestrator
from tests.support.fakes.journal import UnreliableJournal


def caller(name: str) -> Caller:
    return Caller(name, Scope.READ, None, "127.0.0.1")


@pytest.mark.parametrize(("room", "other"), [(STREAMS, COMMANDS), (COMMANDS, STREAMS)])
async def test_a_token_with_too_many_gets_no_other_and_those_of_others_are_left(
    journal: UnreliableJournal, room: Room, other: Room
) -> None:
    gate = Gate(journal)
    with ExitStack() as taken:
        for _ in range(room.most_of_token):
            gate.refuse_too_many(caller("ci"), room)
            taken.enter_context(gate.watch(caller("ci"), room))

        with pytest.raises(TooManyStreams, match=f"Too many {room.what} are open: {room.most_of_token} of token 'ci'"):
            gate.refuse_too_many(caller("ci"), room)
        gate.refuse_too_many(caller("another"), room)
        gate.refuse_too_many(caller("ci"), other)

    gate.refuse_too_many(caller("ci"), room)


@pytest.mark.parametrize("room", [STREAMS, COMMANDS])
async def test_all_tokens_together_have_a_limit(journal: UnreliableJournal, room: Room) -> None:
    gate = Gate(journal)
    with ExitStack() as taken:
        for number in range(room.most):
            taken.enter_context(gate.watch(caller(f"token-{number}"), room))

        with pytest.raises(TooManyStreams, match=f"{room.most} in total"):
            gate.refuse_too_many(caller("one more"), room)


def test_the_rooms_leave_connections_of_the_api() -> None:
    assert STREAMS.most + COMMANDS.most <= CONNECTIONS.most - 100


async def test_a_stream_for_some_apps_asks_for_the_apps_of_its_events_beside_the_event_loop(
    orchestrator: Orchestrator,
) -> None:
    """It read the database on the event loop, once for each deployment that was not in memory."""
    orchestrator.journal.add_token("ci", "a secret", Scope.READ, ("shop",))
    orchestrator.journal.add(Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now()))
    orchestrator.journal.add(Deployment("d2", "blog", Kind.DEPLOY, State.LIVE, "me", now()))
    lines = [NewEvent(EventKind.LINE, "", f"d{number % 2 + 1}", {"line": str(number)}) for number in range(10)]
    orchestrator.journal.append_events([*lines, NewEvent(EventKind.LINE, "", "gone", {"line": "of nobody"})])
    again = Orchestrator(orchestrator.settings, engine=orchestrator.engine, proxy=orchestrator.proxy)
    threads: list[threading.Thread] = []
    sa.event.listen(
        again.journal._engine, "before_cursor_execute", lambda *_asked: threads.append(threading.current_thread())
    )

    shown = []
    async for text in stream(again, replace(caller("ci"), apps=("shop",)), 0, ""):
        shown.append(text)
        if len(shown) == 6:
            break

    lines_shown = zip(range(0, 10, 2), shown[1:], strict=True)
    assert all(f'"line": "{number}"' in text for number, text in lines_shown)
    assert threads
    assert threading.main_thread() not in threads


async def test_streams_that_are_asked_for_at_the_same_moment_have_the_limit_as_well(
    orchestrator: Orchestrator,
) -> None:
    """Each was admitted before the others had begun."""
    orchestrator.journal.add_token("ci", "a secret", Scope.READ)
    streams = [stream(orchestrator, caller("ci"), 0, "") for _ in range(STREAMS.most_of_token + 20)]
    for one in streams:
        orchestrator.gate.refuse_too_many(caller("ci"))
        await anext(one)

    upcoming = [asyncio.ensure_future(anext(one, None)) for one in streams]
    await asyncio.wait(upcoming, timeout=0.5)

    assert len([one for one in upcoming if one.done()]) == 20, "these have ended"
    for waiting in upcoming:
        waiting.cancel()
    await asyncio.gather(*upcoming, return_exceptions=True)
