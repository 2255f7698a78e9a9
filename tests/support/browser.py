"""A person at a browser: Chromium, and what its terminal shows, read as text and looked at as a picture."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
from PIL import Image
from playwright.sync_api import Page, WebSocket, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
COLUMNS, ROWS = 160, 60


class Terminal:
    """What the page's terminal shows: the bytes it was sent, run through another terminal emulator."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sockets = 0
        self.requests_elsewhere: list[str] = []
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        page.on("websocket", self._listen)
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if "//127.0.0.1" not in url and not url.startswith(("data:", "blob:")):
            self.requests_elsewhere.append(url)

    def _listen(self, socket: WebSocket) -> None:
        self.sockets += 1
        socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            # pyte does not know the "synchronised output" queries and prints their letters.
            self._stream.feed(re.sub(rb"\x1b\[\?2026\$p|\x1b\[[<>=][0-9;]*u", b"", payload))

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, words: str, seconds: float = 90) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if words in self.text:
                return self.text
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{words!r} was not shown within {seconds} s, but:\n{self.text}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def is_blank(self) -> bool:
        """Whether a person would see next to nothing: fewer than one pixel in 400 differs from the commonest one."""
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("L").resize((400, 240))
        counts = picture.histogram()
        return sum(counts) - max(counts) < sum(counts) / 400


@contextmanager
def signed_in(url: str, token: str, pictures: Path) -> Iterator[Terminal]:
    """A browser with the panel open. A picture of the last thing it showed is left in `pictures`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            terminal = Terminal(page)
            page.goto(url)
            page.fill("#token", token)
            page.click("button")
            page.wait_for_selector(".xterm-screen")
            yield terminal
            page.screenshot(path=pictures / "last.png")
        finally:
            browser.close()
