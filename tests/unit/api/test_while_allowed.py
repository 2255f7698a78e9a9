"""A stream lasts as long as its reader may read it, also while the journal is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from orchestrator.access import tokens
from orchestrator.access.caller import Caller
from orchestrator.access.gate import Gate
from orchestrator.api.while_allowed import KEEP_ALIVE_S, while_allowed
from orchestrator.domain.access import Scope
from orchestrator.errors import JournalError
from tests.support import virtual_time
from tests.support.fakes.journal import UnreliableJournal

CI = Caller("ci", Scope.ADMIN)


async def minutes(count: int) -> AsyncIterator[int]:
    for minute in range(count):
        await asyncio.sleep(60)
        yield minute


def test_a_journal_that_is_away_for_a_while_ends_no_command(journal: UnreliableJournal) -> None:
    """An import that ran for an hour was ended, with a connection that broke, because PostgreSQL was restarted."""
    tokens.create(journal, "ci", Scope.ADMIN, None, None)

    async def followed() -> list[int]:
        found = []
        async for minute in while_allowed(Gate(journal), CI, minutes(5)):
            if minute is not None:
                found.append(minute)
                journal.is_away = minute in (1, 2)
        return found

    assert virtual_time.run(followed()) == [0, 1, 2, 3, 4]


def test_a_token_that_was_revoked_meanwhile_ends_it_when_the_journal_is_back(journal: UnreliableJournal) -> None:
    tokens.create(journal, "ci", Scope.ADMIN, None, None)

    async def followed() -> list[int | None]:
        found: list[int | None] = []
        async for item in while_allowed(Gate(journal), CI, minutes(5)):
            found.append(item)
            journal.is_away = len(found) < 3
            if len(found) == 1:
                journal.revoke_token("ci")
        return found

    assert virtual_time.run(followed()) == [None, None, None], f"it is asked every {KEEP_ALIVE_S} s"


def test_nothing_begins_while_the_journal_is_away(journal: UnreliableJournal) -> None:
    async def followed() -> list[int | None]:
        return [item async for item in while_allowed(Gate(journal), CI, minutes(1))]

    with journal.away(), pytest.raises(JournalError):
        virtual_time.run(followed())
