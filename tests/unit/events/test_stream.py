"""The event stream: the order of what happened, lines gathered into few writes, and nothing missed by a listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from orchestrator.domain.events import Dismissed, Event, Occurrence, Queued
from orchestrator.errors import JournalError
from orchestrator.events import stream
from orchestrator.events.stream import EventStream
from tests.support.fakes.journal import UnreliableJournal

P = ParamSpec("P")
T = TypeVar("T")
DEADLINE_S = 20.0


@pytest.fixture
def events(journal: UnreliableJournal) -> EventStream:
    return EventStream(journal)


async def take(count: int, follow: AsyncIterator[Event]) -> list[Event]:
    """So many events, as soon as they come."""
    async with asyncio.timeout(DEADLINE_S):
        return [await anext(follow) for _ in range(count)]


def said(events: list[Event]) -> list[object]:
    return [event.fields.get("line", event.kind) for event in events]


async def test_events_come_in_the_order_in_which_they_happened(events: EventStream) -> None:
    for number in range(5):
        await events.publish(Queued(f"user {number}"), "shop")

    found = await take(5, events.follow(after=0))

    assert [event.fields["by"] for event in found] == [f"user {number}" for number in range(5)]
    assert [event.id for event in found] == sorted(event.id for event in found)


async def test_what_was_said_before_an_event_stands_before_it(events: EventStream) -> None:
    events.say("d1", "first")
    events.say("d1", "second")
    await events.publish(Queued("me"), "shop", "d1")
    events.say("d1", "third")

    found = await take(4, events.follow(after=0))

    assert said(found) == ["first", "second", "queued", "third"]


async def test_lines_of_a_moment_are_one_write(journal: UnreliableJournal, events: EventStream) -> None:
    for number in range(300):
        events.say("d1", f"line {number}")

    found = await take(300, events.follow(after=0))

    assert said(found) == [f"line {number}" for number in range(300)]
    assert journal.writes == [300]


async def test_a_listener_that_comes_back_gets_what_it_missed_and_nothing_twice(events: EventStream) -> None:
    await events.publish(Queued("one"), "shop")
    first = await take(1, events.follow(after=0))
    await events.publish(Queued("two"), "shop")
    await events.publish(Queued("three"), "shop")

    missed = await take(2, events.follow(after=first[-1].id))

    assert [event.fields["by"] for event in missed] == ["two", "three"]


async def test_a_listener_that_waits_is_woken_by_the_next_event(events: EventStream) -> None:
    follow = events.follow(after=0)
    waiting = asyncio.create_task(take(1, follow))
    await asyncio.sleep(0)

    await events.publish(Queued("late"), "shop")

    assert [event.fields["by"] for event in await waiting] == ["late"]


async def test_every_listener_is_told_and_one_that_left_is_not_missed(events: EventStream) -> None:
    left = asyncio.create_task(take(1, events.follow(after=0)))
    others = [asyncio.create_task(take(1, events.follow(after=0))) for _ in range(3)]
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)

    await events.publish(Queued("news"), "shop")

    assert [said(await other) for other in others] == [["queued"]] * 3


async def test_who_follows_one_deployment_hears_of_no_other(events: EventStream) -> None:
    await events.publish(Queued("mine"), "shop", "d1")
    await events.publish(Queued("another's"), "shop", "d2")
    events.say("d1", "a line of mine")

    found = await take(2, events.follow(after=0, deployment="d1"))

    assert said(found) == ["queued", "a line of mine"]


async def test_more_events_than_one_batch_come_whole(journal: UnreliableJournal, events: EventStream) -> None:
    count = 2 * stream.BATCH + 1
    for number in range(count):
        events.say("d1", str(number))

    found = await take(count, events.follow(after=0))

    assert said(found) == [str(number) for number in range(count)]


async def test_an_event_that_cannot_be_written_is_refused_to_who_publishes_it(
    journal: UnreliableJournal, events: EventStream
) -> None:
    with journal.away(), pytest.raises(JournalError):
        await events.publish(Queued("me"), "shop")

    await events.publish(Queued("me again"), "shop")
    assert [event.fields["by"] for event in await take(1, events.follow(after=0))] == ["me again"]


async def test_lines_that_were_said_while_the_journal_was_away_are_written_when_it_is_back(
    journal: UnreliableJournal, events: EventStream
) -> None:
    with journal.away():
        events.say("d1", "during")
        with pytest.raises(JournalError):
            await events.publish(Queued("me"), "shop", "d1")
        events.say("d1", "still")
    await events.publish(Queued("me again"), "shop", "d1")

    found = await take(3, events.follow(after=0))

    assert said(found) == ["during", "still", "queued"]


async def test_a_journal_that_comes_back_by_itself_gets_the_lines_without_anybody_publishing(
    journal: UnreliableJournal, events: EventStream
) -> None:
    with journal.away():
        events.say("d1", "patient")
        await asyncio.sleep(2 * stream.GATHER_S)

    assert said(await take(1, events.follow(after=0))) == ["patient"]


async def test_of_very_many_lines_for_a_journal_that_is_away_the_newest_are_kept(
    journal: UnreliableJournal, events: EventStream
) -> None:
    with journal.away():
        for number in range(stream.MOST_LINES + 2):
            events.say("d1", str(number))
        with pytest.raises(JournalError):
            await events.publish(Queued("me"), "shop", "d1")
    await events.publish(Queued("me again"), "shop", "d1")

    found = said(await take(stream.MOST_LINES + 1, events.follow(after=0)))
    assert found == [*(str(number) for number in range(2, stream.MOST_LINES + 2)), "queued"]


class SilentJournal(UnreliableJournal):
    """Says nothing until `answers` is set."""

    answers: asyncio.Event

    async def beside(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self.answers.wait()
        return query(*args, **kwargs)


async def test_no_event_is_dropped_unseen_for_the_lines_that_come_while_the_journal_is_silent(
    journal: UnreliableJournal, tmp_path: Path
) -> None:
    """Whoever published it was told that it is recorded, and whoever followed the deployment waited for ever."""
    silent = SilentJournal(f"sqlite:///{tmp_path / 'journal.db'}")
    silent.answers = asyncio.Event()
    events = EventStream(silent)
    with silent.away():
        published = []
        for name in ("first", "second"):
            published.append(asyncio.create_task(events.publish(Queued(name), "shop", "d1")))
            await asyncio.sleep(0)
        for number in range(stream.MOST_LINES):
            events.say("d1", str(number))
        silent.answers.set()
        told = await asyncio.gather(*published, return_exceptions=True)

    assert [type(one) for one in told] == [JournalError, JournalError]
    found = said(await take(stream.MOST_LINES, events.follow(after=0)))
    assert found == [str(number) for number in range(stream.MOST_LINES)]


class Told:
    """A notifier that remembers."""

    def __init__(self, journal: UnreliableJournal) -> None:
        self._journal = journal
        self.heard: list[tuple[Occurrence, str, str]] = []
        self.were_in_the_journal: list[int] = []

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        self.heard.append((happened, app, deployment))
        self.were_in_the_journal.append(self._journal.last_event_id())


async def test_notifiers_are_told_after_the_journal_has_it_and_not_of_what_it_refused(
    journal: UnreliableJournal,
) -> None:
    first, second = Told(journal), Told(journal)
    events = EventStream(journal, [first])
    events.add(second)

    await events.publish(Dismissed("v2"), "shop", "d1")
    with journal.away(), pytest.raises(JournalError):
        await events.publish(Dismissed("v3"), "shop", "d1")

    for notifier in (first, second):
        assert notifier.heard == [(Dismissed("v2"), "shop", "d1")]
        assert notifier.were_in_the_journal == [1]


async def test_events_that_are_told_together_are_recorded_and_told_in_their_order_or_not_at_all(
    journal: UnreliableJournal,
) -> None:
    told = Told(journal)
    events = EventStream(journal, [told])
    also = [(Dismissed("v3"), "d2"), (Dismissed("v4"), "")]

    await events.publish(Dismissed("v2"), "shop", "d1", also=also)
    for with_record in (None, lambda: None):
        with journal.away(), pytest.raises(JournalError):
            await events.publish(Dismissed("v5"), "shop", "d1", also=also, with_record=with_record)
    await events.publish(Dismissed("v6"), "shop", "d1", also=also, with_record=lambda: None)

    expected = [(Dismissed("v2"), "d1"), *also, (Dismissed("v6"), "d1"), *also]
    assert told.heard == [(happened, "shop", deployment) for happened, deployment in expected]
    assert [(one.fields["version"], one.deployment) for one in journal.events()] == [
        (happened.version, deployment) for happened, deployment in expected
    ]


async def test_an_event_whose_record_is_refused_keeps_no_other_event_from_being_written(events: EventStream) -> None:
    def refused() -> None:
        raise JournalError("The record is refused.", "Correct it.")

    events.say("d1", "a line")
    results = await asyncio.gather(
        events.publish(Queued("first"), "shop", "d1", with_record=refused),
        events.publish(Queued("second"), "blog"),
        return_exceptions=True,
    )

    assert [type(one) for one in results] == [JournalError, type(None)]
    assert said(await take(2, events.follow(after=0))) == ["a line", Queued.kind]


async def test_what_was_said_before_an_event_with_a_record_stands_before_it(events: EventStream) -> None:
    recorded: list[str] = []
    events.say("d1", "a line")
    await events.publish(Queued("anna"), "shop", "d1", with_record=lambda: recorded.append("written"))

    assert said(await take(2, events.follow(after=0))) == ["a line", Queued.kind]
    assert recorded == ["written"]
