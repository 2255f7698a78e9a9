"""One question that many may ask at once: few of them are asked, and all are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from orchestrator.errors import ChangeoverError

T = TypeVar("T")


class SharedQuestion(Generic[T]):
    """Asks one at a time. Used on the event loop only.

    Whoever waited while a whole answer was found, from a question that began after theirs, gets that answer or its
    error. So however many ask at once, two are asked: the one under way, and one for all who came during it.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._begun = 0
        self._first: Callable[[], None] | None = None
        self._answer: tuple[T] | ChangeoverError | None = None
        """Of the question that was begun last; None if it was cancelled, or failed with a defect."""

    def before_next(self, first: Callable[[], None]) -> None:
        """Do this when the next question begins: what one under way does meanwhile cannot undo it."""
        self._first = first

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """What `question` gives, or what one gave that began meanwhile. Raises what that raised."""
        begun_before = self._begun
        async with self._turn:
            answer = self._answer if self._begun > begun_before else None
            if isinstance(answer, ChangeoverError):
                raise answer
            if answer is not None:
                return answer[0]
            self._begun, self._answer = self._begun + 1, None
            first, self._first = self._first, None
            if first:
                first()
            try:
                found = await question()
            except ChangeoverError as error:
                self._answer = error
                raise
            self._answer = (found,)
            return found
