"""The open pages of the panel: each has a process, and their number is limited."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import WebSocket

from panel.web.process import AppProcess

MOST = int(os.environ.get("PANEL_MAX_PAGES", "20"))
MOST_OF_TOKEN = int(os.environ.get("PANEL_MAX_PAGES_OF_TOKEN", "10"))
"""Each page has a process of some 25 MB of its own."""


MOST_OF_REASON = 123
"""The bytes of a reason with which a WebSocket is closed (RFC 6455, section 5.5). Tokens of earlier versions have names
of any length."""


class TooManyPages(Exception):
    """The panel, or one token, has as many open pages as it may have. The message is for the person."""


@dataclass
class Page:
    """An open page. `app` is its process, None while it is being taken.

    `was_used`: a key was pressed since the orchestrator was told so.
    """

    socket: WebSocket
    secret: str
    token: str
    app: AppProcess | None = None
    was_used: bool = False
    signed_out: asyncio.Event = field(default_factory=asyncio.Event)


class OpenPages:
    """Used on the event loop only."""

    def __init__(self, most: int = MOST, most_of_token: int = MOST_OF_TOKEN) -> None:
        self._most = most
        self._most_of_token = most_of_token
        self._pages: list[Page] = []

    def __iter__(self) -> Iterator[Page]:
        return iter(list(self._pages))

    def __len__(self) -> int:
        return len(self._pages)

    @contextmanager
    def opened(self, socket: WebSocket, secret: str, token: str) -> Iterator[Page]:
        """A place for a page, before its process is started. Raises TooManyPages."""
        of_token = sum(page.token == token for page in self._pages)
        if len(self._pages) >= self._most or of_token >= self._most_of_token:
            count, whose = (of_token, f" with token '{token}'") if of_token >= self._most_of_token else (self._most, "")
            raise TooManyPages(_fitting(f"{count} pages of the panel are open{whose}. Close one."))
        page = Page(socket, secret, token)
        self._pages.append(page)
        try:
            yield page
        finally:
            self._pages.remove(page)

    async def sign_out(self, secret: str) -> None:
        """End the pages of a session."""
        for page in self._pages:
            if page.secret == secret:
                page.signed_out.set()


def _fitting(reason: str) -> str:
    return reason.encode(errors="replace")[:MOST_OF_REASON].decode(errors="ignore")
