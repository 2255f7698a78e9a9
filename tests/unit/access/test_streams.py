"""Event streams are limited in number, by token and in total."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from orchestrator.access.caller import Caller
from orchestrator.access.gate import MOST_STREAMS, MOST_STREAMS_OF_TOKEN, Gate
from orchestrator.domain.access import Scope
from orchestrator.errors import TooManyStreams
from tests.support.fakes.journal import UnreliableJournal


def caller(name: str) -> Caller:
    return Caller(name, Scope.READ, None, "127.0.0.1")


async def test_a_token_with_too_many_streams_gets_no_other_and_those_of_others_are_left(
    journal: UnreliableJournal,
) -> None:
    gate = Gate(journal)
    with ExitStack() as streams:
        for _ in range(MOST_STREAMS_OF_TOKEN):
            gate.refuse_too_many_streams(caller("ci"))
            streams.enter_context(gate.watch(caller("ci")))

        with pytest.raises(TooManyStreams, match="100 of token 'ci'"):
            gate.refuse_too_many_streams(caller("ci"))
        gate.refuse_too_many_streams(caller("another"))

    gate.refuse_too_many_streams(caller("ci"))


async def test_all_tokens_together_have_a_limit(journal: UnreliableJournal) -> None:
    gate = Gate(journal)
    with ExitStack() as streams:
        for number in range(MOST_STREAMS):
            streams.enter_context(gate.watch(caller(f"token-{number}")))

        with pytest.raises(TooManyStreams):
            gate.refuse_too_many_streams(caller("one more"))
