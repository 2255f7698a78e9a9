"""What may be away for a while: the engine, the proxy, the journal. It refuses what is asked of it meanwhile."""

from __future__ import annotations

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

    away: ChangeoverError | None = None

    def __getattribute__(self, name: str) -> Any:  # Any: as of any object
        found = object.__getattribute__(self, name)
        kind = type(self)
        if name.startswith("_") or name in kind.not_asked or not hasattr(kind.protocol, name):
            return found
        if inspect.iscoroutinefunction(found):
            return _awaited(self, found)
        return _called(self, found) if inspect.isfunction(getattr(kind, name, None)) else found


def _answer(fake: MayBeAway) -> None:
    if fake.away is not None:
        raise type(fake.away)(fake.away.cause, fake.away.remedy)


def _awaited(fake: MayBeAway, ask: Callable[..., Any]) -> Callable[..., Any]:  # Any: of any method
    async def asked(*args: Any, **named: Any) -> Any:  # Any: as above
        _answer(fake)
        answer = await ask(*args, **named)
        _answer(fake)
        return answer

    return asked


def _called(fake: MayBeAway, ask: Callable[..., Any]) -> Callable[..., Any]:  # Any: of any method
    def asked(*args: Any, **named: Any) -> Any:  # Any: as above
        _answer(fake)
        return ask(*args, **named)

    return asked
