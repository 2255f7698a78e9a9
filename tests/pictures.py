"""`make pictures`: the pictures in README and docs, of the real thing: a new installation with an app that people use,
and an update of the panel from U to its end, seen in a browser."""

from __future__ import annotations

import io
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import httpx
from PIL import Image

from tests.support.browser import Terminal, signed_in
from tests.support.installation import Installation
from tests.support.paths import ROOT

PICTURES = ROOT / "docs" / "pictures"
CONFIGURATION = """
apps:
  shop:
    update: {git: {remote: ., path: examples/shop}}
    run: {port: 8000, data: /data}
    migrate: {command: alembic upgrade head, status: python migrations/status.py}
    route: {host: shop.localhost}
"""
REQUESTS_S = 0.05
SEEN_FOR_MS = 60_000
"""Then there is something in the plots."""
FRAME_MS, WIDTH, COLOURS = 250, 960, 48
LONGEST_MS = 2000
"""A frame of the recording that stays longer is shown for so long, and so is the last one."""


class Recording:
    """What a page shows, as frames that differ."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._frames: list[Image.Image] = []
        self._seen_at: list[float] = []

    def until(self, words: str, seconds: float = 120) -> None:
        """Record until these words are shown, and the frame in which they are."""
        for _ in range(int(seconds * 1000 / FRAME_MS)):
            self._take()
            if words in self._terminal.text:
                self._take()
                return
            self._terminal.page.wait_for_timeout(FRAME_MS)
        raise AssertionError(f"{words!r} was not shown, but:\n{self._terminal.text}")

    def save(self, path: Path) -> None:
        first, *others = self._frames
        stays = [min(LONGEST_MS, round(1000 * (after - at))) for at, after in pairwise(self._seen_at)] + [LONGEST_MS]
        first.save(path, save_all=True, append_images=others, duration=stays, loop=0, optimize=True)

    def _take(self) -> None:
        seen = Image.open(io.BytesIO(self._terminal.page.screenshot())).convert("RGB")
        seen = seen.resize((WIDTH, WIDTH * seen.height // seen.width), Image.Resampling.LANCZOS)
        frame = seen.quantize(COLOURS, dither=Image.Dither.NONE)
        if not self._frames or frame.tobytes() != self._frames[-1].tobytes():
            self._frames.append(frame)
            self._seen_at.append(time.monotonic())


@contextmanager
def customers(port: int) -> Iterator[None]:
    """They look into the shop, one after the other, and sometimes for what it does not have."""
    gone_home = threading.Event()

    def look() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": "shop.localhost"}) as client:
            number = 0
            while not gone_home.wait(REQUESTS_S * (1 + number // 200 % 3)):
                number += 1
                with suppress(httpx.HTTPError):
                    client.get("/nothing" if number % 97 == 0 else "/orders")

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        gone_home.set()
        looking.join()


def take(installation: Installation) -> None:
    with signed_in(installation.url, installation.token, PICTURES) as terminal:

        def picture(name: str) -> None:
            terminal.page.wait_for_timeout(1000)
            terminal.page.screenshot(path=PICTURES / f"{name}.png")

        terminal.wait_for("shop")
        terminal.press("j")
        terminal.page.wait_for_timeout(SEEN_FOR_MS)
        picture("dashboard")
        for key, name in (("2", "deployments"), ("3", "logs"), ("4", "data")):
            terminal.press(key)
            picture(name)
        terminal.press("1")
        terminal.press(":")
        terminal.page.keyboard.type("what changed since yesterday")
        terminal.press("Enter")
        terminal.wait_for("$ changeover")
        picture("console")
        terminal.press("Escape")
        terminal.press("k")
        terminal.press("u")
        terminal.wait_for("Proceed with update?")
        recording = Recording(terminal)
        picture("question")
        recording.until("Proceed with update?")
        terminal.press("y")
        recording.until("Step 3/9")
        picture("progress")
        recording.until("Resumed after update")
        picture("complete")
        recording.save(PICTURES / "update.gif")
    (PICTURES / "last.png").unlink()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder) / "changeover")
        try:
            installation.lend_packages()
            up = installation.up()
            assert up.returncode == 0, up.stdout + up.stderr
            installation.configure(CONFIGURATION)
            deployed = installation.command("deploy", "shop", "--wait")
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            source = installation.folder / "panel" / "__init__.py"
            source.write_text(source.read_text() + "\n")
            installation.commit("feat(panel): plots of the last six hours")
            installation.commit("fix(panel): the list keeps its place when an app is added")
            with customers(installation.port):
                take(installation)
        finally:
            installation.remove()


if __name__ == "__main__":
    main()
