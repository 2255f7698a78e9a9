"""What may be away for a while: the engine, the proxy, the journal. It refuses what is asked of it meanwhile."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from orchestrator.errors import ChangeoverError


class MayBeAway:
    """A fake whose methods of a protocol raise `away`, if that is set: before they have had an effect, or after it.

    The answer to a call that was under way when it went away is lost, although the call may have had its effect.
    """

    protocol: type
    not_asked: frozenset[str] = frozenset()
    """Methods of the protocol that are answered without it."""

    reads: frozenset[str] = frozenset()
    """Methods without an effect."""

    away: ChangeoverError | None = None
    refuses: ChangeoverError | None = None
    """What it says to all that would have an effect, as on a full disk."""
    answers_after_s: Callable[[], float] = staticmethod(lambda: 0.0)
    """How long it takes to answer, beside what it does."""

    def __getattribute__(self, name: str) -> Any:  # Any: as of any object
        found = object.__getattribute__(self, name)
        kind = type(self)
        if name.startswith("_") or name in kind.not_asked or not hasattr(kind.protocol, name):
            return found
        if inspect.iscoroutinefunction(found):
            return _awaited(self, found)
        return _called(self, found, name in kind.reads) if inspect.isfunction(getattr(kind, name, None)) else found


def _answer(fake: MayBeAway, *, reads: bool = True) -> None:
    error = fake.away or (None if reads else fake.refuses)
    if error is not None:
        raise type(error)(error.cause, error.remedy)


def _awaited(fake: MayBeAway, ask: Callable[..., Any]) -> Callable[..., Any]:  # Any: of any method
    async def asked(*args: Any, **named: Any) -> Any:  # Any: as above
        _answer(fake)
        answer = await ask(*args, **named)
        if takes_s := fake.answers_after_s():
            await asyncio.sleep(takes_s)
        _answer(fake)
        return answer

    return asked


def _called(fake: MayBeAway, ask: Callable[..., Any], reads: bool) -> Callable[..., Any]:  # Any: of any method
    def asked(*args: Any, **named: Any) -> Any:  # Any: as above
        _answer(fake, reads=reads)
        return ask(*args, **named)

    return asked
