"""A process that can be killed at any operation: what it does after that has no effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the product may handle it."""


class Power:
    """Counts the operations on the world outside, and cuts the power at one of them: before its effect, or after it."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self._at: int | str | None = None
        self._after = False
        self.dead = False
        self._is_in_one = False
        self._interrupt: tuple[int, Callable[[], None]] | None = None
        self._failure: tuple[int, Exception] | None = None

    def fail_at(self, number: int, error: Exception) -> None:
        """The operation of this number is refused once, with this error and without an effect."""
        self.operations, self._failure = [], (number, error)

    def interrupt_at(self, number: int, act: Callable[[], None]) -> None:
        """Somebody does something as soon as the operation of this number has had its effect."""
        self.operations = []
        self._interrupt = (number, act)

    def interrupt_after(self, more: int, act: Callable[[], None]) -> None:
        """The same, as soon as so many more operations have had their effect; at once if it is none."""
        if more:
            self._interrupt = (len(self.operations) - 1 + more, act)
        else:
            act()

    def cut_at(self, operation: int | str, *, after: bool) -> None:
        """At the operation of this number, counted from zero, or at the first of this name."""
        self.operations = []
        self._at, self._after, self.dead = operation, after, False

    def cut_in(self, more: int, *, after: bool) -> None:
        """At the operation after so many more ones. One that is under way now is not counted."""
        self._at, self._after = len(self.operations) + more, after

    def restore(self) -> None:
        """From now on nothing is cut or interrupted; a killed process is replaced by a new one."""
        self._at, self.dead, self._interrupt, self._failure = None, False, None, None

    def before(self, what: str) -> None:
        """To be called before an operation has its effect."""
        if self._is_in_one:
            return
        self._check()
        self.operations.append(what)
        if self._is_here and not self._after:
            self.dead = True
            raise Killed(what)
        if self._failure and self._failure[0] == len(self.operations) - 1:
            error, self._failure = self._failure[1], None
            raise error

    def after(self) -> None:
        """To be called when it has had it."""
        if self._is_in_one:
            return
        self._check()
        if self._is_here and self._after:
            self.dead = True
            raise Killed(self.operations[-1])
        if self._interrupt and self._interrupt[0] == len(self.operations) - 1:
            act = self._interrupt[1]
            self._interrupt = None
            act()

    @contextmanager
    def in_one_operation(self) -> Iterator[None]:
        """What happens in the block is a part of the operation that has begun: nothing is cut in between."""
        self._is_in_one = True
        try:
            yield
        finally:
            self._is_in_one = False

    @property
    def _is_here(self) -> bool:
        return self._at in (len(self.operations) - 1, self.operations[-1])

    def _check(self) -> None:
        if self.dead:
            raise Killed("after the kill")
