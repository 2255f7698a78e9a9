"""A PostgreSQL that accepts connections and stays silent costs its deadline, and nothing else of the orchestrator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from orchestrator.domain.events import Queued
from orchestrator.errors import JournalError
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal
from panel.session.store import Store, StoreUnavailable
from tests.support.postgres import Postgres

DEADLINE_S = 2.0
AT_MOST_S = 20.0
"""A connection that breaks and one that is not opened, each within the deadline, on a machine that is busy."""


class Impatient(Journal):
    answer_within_s = DEADLINE_S


class Gateway:
    """Passes bytes on between the journal and the database; while it is silent, it accepts and answers nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.silent = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            with suppress(ConnectionError):
                await reader.read()
            writer.close()
            return
        theirs, to_them = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target in ((reader, to_them), (theirs, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not self.silent:
                    target.write(data)
                    await target.drain()
        target.close()


@pytest.fixture
async def gateway(postgres: Postgres) -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway, and the URL of an empty journal behind it."""
    direct = postgres.url(postgres.create())
    Journal(direct).close()
    found = Gateway(postgres.port)
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield found, direct.replace(f":{postgres.port}/", f":{port}/")
    server.close()


async def test_a_silent_database_costs_its_deadline_and_the_event_loop_goes_on(gateway: tuple[Gateway, str]) -> None:
    silent, url = gateway
    journal = await asyncio.to_thread(Impatient, url)
    events = EventStream(journal)
    await events.publish(Queued("before"))
    silent.silent = True

    began, turns = time.monotonic(), 0
    asked: list[asyncio.Task[Any]] = [asyncio.create_task(events.publish(Queued("lost")))]  # Any: each its own
    asked += [asyncio.create_task(journal.beside(journal.unfinished)) for _ in range(6)]
    while not all(one.done() for one in asked):
        await asyncio.sleep(0.01)
        turns += 1
    took = time.monotonic() - began
    ends = await asyncio.gather(*asked, return_exceptions=True)
    silent.silent = False
    await events.publish(Queued("after"))
    told = [event.fields["by"] for event in await journal.beside(journal.events)]
    await asyncio.to_thread(journal.close)

    assert all(isinstance(end, JournalError) for end in ends), ends
    assert took < AT_MOST_S
    assert turns > 20
    assert told == ["before", "after"]


async def test_a_silent_database_of_the_panel_costs_its_deadline(gateway: tuple[Gateway, str]) -> None:
    silent, url = gateway
    store = Store(url, DEADLINE_S)
    await asyncio.to_thread(store.at_head)
    silent.silent = True

    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(store.at_head)

    assert time.monotonic() - began < AT_MOST_S
