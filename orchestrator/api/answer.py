"""The one way out for JSON: every answer loses control characters and secrets before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from border.secrets import Secrets
from orchestrator.host.uninterrupted import to_its_end

LARGE = 20_000
"""An answer with more values and characters than this is written in a thread: of a history with long changelogs it
takes seconds, in which nobody else would be answered."""


def answer_class(known_secrets: Callable[[], Secrets]) -> type[JSONResponse]:
    """The class of all JSON answers of an API that knows these secrets when it answers."""

    class PlainAnswer(JSONResponse):
        def render(self, content: Any) -> bytes:  # Any: JSON
            self._large = content if is_large(content) else None
            return self._written(content) if self._large is None else b""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if self._large is not None:
                self.body = await to_its_end(asyncio.to_thread(self._written, self._large))
                self.headers["content-length"] = str(len(self.body))
            await super().__call__(scope, receive, send)

        def _written(self, content: Any) -> bytes:  # Any: JSON
            return super().render(known_secrets().values(content))

    return PlainAnswer


def is_large(content: Any) -> bool:  # Any: JSON
    """Whether there are more values and characters than LARGE. Looks at no more than that."""
    left, waiting = LARGE, [content]
    while waiting:
        value = waiting.pop()
        left -= 1 + len(value) if isinstance(value, str | list | tuple | dict) else 1
        if left < 0:
            return True
        if isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return False
