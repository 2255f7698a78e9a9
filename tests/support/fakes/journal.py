"""A journal whose database can be away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from orchestrator.domain.access import Token
from orchestrator.domain.events import Event, NewEvent
from orchestrator.domain.notice import Notice
from orchestrator.domain.traffic import Minute
from orchestrator.domain.version_record import VersionRecord
from orchestrator.errors import JournalError
from orchestrator.journal.store import Journal

P = ParamSpec("P")
T = TypeVar("T")


class UnreliableJournal(Journal):
    """The real one on a SQLite file; while it is away, events can be neither written nor read, tokens
    not be read, and notices and minutes of traffic not be written.

    It is asked at once, not in a thread, so that a test that lets a task go on for some turns knows how far it comes.
    `writes` says how many events each successful write had: the stream gathers lines into few writes.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_away = False
        self.writes: list[int] = []

    async def beside(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return query(*args, **kwargs)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        try:
            yield
        finally:
            self.is_away = False

    def append_events(self, events: Iterable[NewEvent], with_record: Callable[[], None] | None = None) -> None:
        self._answer()
        batch = list(events)
        super().append_events(batch, with_record)
        self.writes.append(len(batch))

    def add_minutes(self, minutes: Iterable[Minute]) -> None:
        self._answer()
        super().add_minutes(minutes)

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        self._answer()
        return super().events(after, deployment_id, limit)

    def queue_notice(self, notice: Notice, told: VersionRecord | None = None, **more: Any) -> int:
        self._answer()
        return super().queue_notice(notice, told, **more)

    def notices_taken(self, taken: dict[int, tuple[str, ...]]) -> None:
        self._answer()
        super().notices_taken(taken)

    def forget_notices(self, ids: list[int]) -> None:
        self._answer()
        super().forget_notices(ids)

    def token_named(self, name: str) -> Token | None:
        self._answer()
        return super().token_named(name)

    def _answer(self) -> None:
        if self.is_away:
            raise JournalError("The journal is away.", "Wait.")
