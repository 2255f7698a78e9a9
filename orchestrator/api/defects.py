"""Defects in Changeover while an answer is made of parts: the part is missing, and the rest is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

from orchestrator.errors import JournalError

log = structlog.get_logger()
T = TypeVar("T")


class Defects:
    """What went wrong in the parts of one app's answer: `parts` has their names."""

    def __init__(self, app: str) -> None:
        self._app = app
        self.parts: list[str] = []

    def without(self, otherwise: T, part: str, make: Callable[[], T]) -> T:
        """What `make` gives; `otherwise` if it raises, which is logged with its traceback. Raises JournalError: then
        nothing is known of any app."""
        with self._noted(part):
            return make()
        return otherwise

    async def awaited(self, otherwise: T, part: str, what: Awaitable[T]) -> T:
        """As `without`, of what is waited for."""
        with self._noted(part):
            return await what
        return otherwise

    @contextmanager
    def _noted(self, part: str) -> Iterator[None]:
        try:
            yield
        except JournalError:
            raise
        except Exception:  # a defect in Changeover: one app's must not keep the others from being shown
            log.exception("a part of an app's state is not known", app=self._app, part=part)
            self.parts.append(part)
